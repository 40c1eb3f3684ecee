// Package volumes makes a directory of the machine for every claim of the default StorageClass, and deletes it with
// the claim.
package volumes

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/oabridge/oabridge/hack/cluster/addons/changes"
)

// Provisioner is the name that the StorageClass gives.
const Provisioner = "oabridge.dev/local"

// Names of annotations that the scheduler and every provisioner agree on.
const (
	selectedNode  = "volume.kubernetes.io/selected-node"
	provisionedBy = "pv.kubernetes.io/provisioned-by"
)

// Run provisions volumes under dir, which is on the node of that name, until ctx ends.
func Run(ctx context.Context, client kubernetes.Interface, node, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	claims := factory.Core().V1().PersistentVolumeClaims()
	volumes := factory.Core().V1().PersistentVolumes()
	classes := factory.Storage().V1().StorageClasses()
	look := func(ctx context.Context) error {
		allClaims, err := claims.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		allVolumes, err := volumes.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		var failed []error
		for _, claim := range allClaims {
			class, err := classes.Lister().Get(className(claim))
			if err != nil || !wanted(claim, class, node) {
				continue
			}
			failed = append(failed, provision(ctx, client, claim, class, node, dir))
		}
		for _, volume := range allVolumes {
			if released(volume) {
				failed = append(failed, remove(ctx, client, volume, dir))
			}
		}
		return errors.Join(failed...)
	}
	watched := []cache.SharedIndexInformer{claims.Informer(), volumes.Informer(), classes.Informer()}
	factory.Start(ctx.Done())
	return changes.Loop(ctx, look, watched...)
}

func className(claim *core.PersistentVolumeClaim) string {
	if claim.Spec.StorageClassName == nil {
		return ""
	}
	return *claim.Spec.StorageClassName
}

// wanted tells whether a volume is to be made now for the claim.
func wanted(claim *core.PersistentVolumeClaim, class *storage.StorageClass, node string) bool {
	if class.Provisioner != Provisioner || claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return false
	}
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == core.PersistentVolumeBlock {
		return false // a directory is no block device
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storage.VolumeBindingWaitForFirstConsumer
	return !waits || claim.Annotations[selectedNode] == node
}

// released tells whether the volume was made here and its claim is gone.
func released(volume *core.PersistentVolume) bool {
	return volume.Annotations[provisionedBy] == Provisioner &&
		volume.Status.Phase == core.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == core.PersistentVolumeReclaimDelete
}

func provision(ctx context.Context, client kubernetes.Interface, claim *core.PersistentVolumeClaim, class *storage.StorageClass, node, dir string) error {
	name := "pvc-" + string(claim.UID)
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	// Past the umask: a pod without fsGroup may run as any user.
	if err := os.Chmod(path, 0o777); err != nil {
		return err
	}
	volume := newVolume(claim, class, node, path)
	_, err := client.CoreV1().PersistentVolumes().Create(ctx, volume, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil // made by the look before; binding it is the controller manager's move
	}
	if err == nil {
		slog.Info("volume made", "claim", claim.Namespace+"/"+claim.Name, "path", path)
	}
	return err
}

func newVolume(claim *core.PersistentVolumeClaim, class *storage.StorageClass, node, path string) *core.PersistentVolume {
	policy := core.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{
			Name:        filepath.Base(path),
			Annotations: map[string]string{provisionedBy: Provisioner},
		},
		Spec: core.PersistentVolumeSpec{
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: policy,
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			// Local, not HostPath: only for Local does the kubelet apply fsGroup.
			PersistentVolumeSource: core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: path}},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
				MatchExpressions: []core.NodeSelectorRequirement{{
					Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node},
				}},
			}}}},
		},
	}
}

func remove(ctx context.Context, client kubernetes.Interface, volume *core.PersistentVolume, dir string) error {
	// Whoever may edit volumes could point one elsewhere: delete nothing but our own directories.
	if local := volume.Spec.Local; local != nil && ours(local.Path, dir) {
		if err := os.RemoveAll(local.Path); err != nil {
			return err
		}
		slog.Info("volume deleted", "path", local.Path)
	}
	err := client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func ours(path, dir string) bool {
	return filepath.Dir(path) == filepath.Clean(dir) && strings.HasPrefix(filepath.Base(path), "pvc-")
}
