package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

func main() {
	env := &envtest.Environment{BinaryAssetsDirectory: os.Getenv("KUBEBUILDER_ASSETS")}
	_, err := env.Start()
	if err != nil {
		panic(err)
	}
	os.WriteFile("/tmp/docs-kubeconfig", env.KubeConfig, 0o600)
	fmt.Println("up")
	os.Stdin.Read(make([]byte, 1))
	env.Stop()
}
