import { EXPOSURE_ANNOTATIONS } from '../../runtime/kubernetes/annotations.ts';

/** Whether a template fills the text in (Helm's `{{ … }}`, envsubst's `${…}`): nobody can tell before what it will be. */
export function isTemplated(text: string): boolean {
  return /\{\{|\$\{/.test(text);
}

/** Whether a template fills in a port of the object that `source` is: `containerPort: {{ .Values.port }}`. */
export function hasTemplatedPort(source: string): boolean {
  return /^[ \t]*(?:-[ \t]+)?"?(?:port|ports|targetPort|containerPort)"?[ \t]*:.*(?:\{\{|\$\{)/m.test(source);
}

/** Whether what an object exposes shows only once a template is filled in. */
export function isTemplate(workload: { name: string; annotations: Record<string, string>; hasTemplatedPort: boolean }): boolean {
  const { name, annotations } = workload;
  return (
    workload.hasTemplatedPort || isTemplated(name) || EXPOSURE_ANNOTATIONS.some((key) => isTemplated(annotations[key] ?? ''))
  );
}
