// One program with what a control plane needs to take objects and to call admission webhooks: `control-plane kube-apiserver FLAGS` and
// `control-plane etcd FLAGS`.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "etcd" {
		etcdmain.Main(os.Args[1:])
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "kube-apiserver" {
		os.Args = os.Args[1:]
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	}
	fmt.Fprintln(os.Stderr, "usage: control-plane kube-apiserver|etcd FLAGS")
	os.Exit(2)
}
