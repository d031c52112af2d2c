/** Parts of node-forge, which has types for the whole only. */
declare module 'node-forge/lib/asn1.js' {
  import { asn1 } from 'node-forge';
  export default asn1;
}

declare module 'node-forge/lib/x509.js' {
  import { pki } from 'node-forge';
  export default pki;
}
