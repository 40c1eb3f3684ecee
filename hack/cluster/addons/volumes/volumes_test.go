package volumes

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestVolumeLivesAsLongAsItsClaim(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir := filepath.Join(t.TempDir(), "volumes")
	later, class := storage.VolumeBindingWaitForFirstConsumer, "local"
	client := fake.NewClientset(
		&storage.StorageClass{ObjectMeta: meta.ObjectMeta{Name: class}, Provisioner: Provisioner, VolumeBindingMode: &later},
		&core.PersistentVolumeClaim{
			ObjectMeta: meta.ObjectMeta{Namespace: "crm", Name: "data", UID: "u1", Annotations: map[string]string{selectedNode: "n"}},
			Spec:       core.PersistentVolumeClaimSpec{StorageClassName: &class, AccessModes: []core.PersistentVolumeAccessMode{core.ReadWriteOnce}},
		},
		&core.PersistentVolumeClaim{ // no pod wants it yet
			ObjectMeta: meta.ObjectMeta{Namespace: "crm", Name: "unused", UID: "u2"},
			Spec:       core.PersistentVolumeClaimSpec{StorageClassName: &class},
		},
	)
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, client, "n", dir) }()

	volumes := client.CoreV1().PersistentVolumes()
	var volume *core.PersistentVolume
	eventually(t, "a volume for the claim", func() bool {
		var err error
		volume, err = volumes.Get(ctx, "pvc-u1", meta.GetOptions{})
		return err == nil
	})
	info, err := os.Stat(volume.Spec.Local.Path)
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Fatalf("directory: %v, %v", info, err)
	}
	if volume.Spec.ClaimRef.UID != "u1" || volume.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete {
		t.Errorf("got %+v", volume.Spec)
	}
	if _, err := volumes.Get(ctx, "pvc-u2", meta.GetOptions{}); err == nil {
		t.Error("a volume was made before a pod needed it")
	}

	volume.Status.Phase = core.VolumeReleased
	if _, err := volumes.UpdateStatus(ctx, volume, meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the directory to go", func() bool {
		_, err := os.Stat(volume.Spec.Local.Path)
		return os.IsNotExist(err)
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestOnlyOwnDirectoriesAreDeleted(t *testing.T) {
	for path, want := range map[string]bool{
		"/state/volumes/pvc-1":        true,
		"/state/volumes":              false,
		"/state/volumes/other":        false,
		"/state/volumes/pvc-1/deeper": false,
		"/etc":                        false,
		"/state/volumes/pvc-1/../../": false,
	} {
		if ours(path, "/state/volumes/") != want {
			t.Errorf("%s: got %v", path, !want)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
