// Command kube is etcd, the Kubernetes control plane, the node agent and kubectl in one test binary: kube COMPONENT [flags].
// Kubernetes comes as a Go module, so neither a container engine nor an image registry is needed for a cluster.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kube COMPONENT [flags]")
		os.Exit(2)
	}
	name := os.Args[1]
	if name == "hold" {
		hold()
		return
	}
	os.Args = os.Args[1:]
	var cmd *cobra.Command
	switch name {
	case "coredns":
		dnsserver.Directives = []string{"bind", "ready", "errors", "kubernetes", "template"}
		coremain.Run()
		return
	case "etcd":
		etcdmain.Main(os.Args)
		return
	case "kubectl":
		// It prints its errors itself, in kubectl's own words.
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			util.CheckErr(err)
		}
		return
	case "kube-apiserver":
		cmd = apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		cmd = controllers.NewControllerManagerCommand()
	case "kube-scheduler":
		cmd = scheduler.NewSchedulerCommand()
	case "kube-proxy":
		cmd = proxy.NewProxyCommand()
	case "kubelet":
		cmd = kubelet.NewKubeletCommand()
	default:
		fmt.Fprintln(os.Stderr, "unknown component", name)
		os.Exit(2)
	}
	os.Exit(cli.Run(cmd))
}

// hold is process 1 of a set of Linux namespaces, `kube hold NAME [attached]`: when it ends, the kernel ends every process in
// them and takes their mounts and interfaces away, however the lab was ended. Attached, it ends when its stdin closes, which is
// when whoever started it is gone.
func hold() {
	children := make(chan os.Signal, 16)
	signal.Notify(children, syscall.SIGCHLD)
	go func() {
		for range children {
			// Container shims detach from containerd and become children of process 1: unreaped they stay as zombies.
			for {
				if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
					break
				}
			}
		}
	}()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	if len(os.Args) > 3 && os.Args[3] == "attached" {
		// Ctrl-C in a terminal reaches the whole process group: the one who started this ends it in order.
		signal.Ignore(syscall.SIGINT)
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			end <- syscall.SIGTERM
		}()
	}
	fmt.Println("holding")
	<-end
}
