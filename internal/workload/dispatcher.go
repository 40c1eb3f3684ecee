package workload

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

const (
	// dispatcherGrace is how long a dispatcher may take to end its calls and close its store, in seconds.
	dispatcherGrace = 45
	// keptRevisions of a Deployment: the current one and one to compare with.
	keptRevisions = 2

	storeVolumeName = "store"
	// podNameVariable tells a replica who it is.
	podNameVariable = "POD_NAME"
)

// defaultStorage of the queue volume, when a connector was stored without defaults.
var defaultStorage = resource.MustParse("1Gi")

// usesNATS says whether the queue is outside the dispatcher, which then may have several replicas and needs no volume.
func usesNATS(c *v1alpha1.OAConnector) bool {
	return c.Spec.Dispatcher.Queue.Type == v1alpha1.QueueNATS
}

func dispatcherReplicas(c *v1alpha1.OAConnector) int32 {
	if !usesNATS(c) {
		return 1
	}
	return max(c.Spec.Dispatcher.Replicas, 1)
}

// dispatcherPod has one writer of its queue volume or, with NATS, a name by which the replicas tell each other apart.
func dispatcherPod(in Input) pod {
	p := pod{
		in: in, component: v1alpha1.ComponentDispatcher,
		account:   DispatcherName(in.Connector.Name),
		args:      []string{"--store=" + bundle.DirStore},
		resources: resources(in.Connector.Spec.Dispatcher.Resources, dispatcherMemory, dispatcherMemoryLimit),
		grace:     dispatcherGrace,
		ports: map[string]int32{
			"events": bundle.PortPublic, "admin": bundle.PortAdmin, "peer": bundle.PortPeer,
		},
		volumes: []*corev1ac.VolumeApplyConfiguration{storeVolume(in)},
		mounts: []*corev1ac.VolumeMountApplyConfiguration{corev1ac.VolumeMount().
			WithName(storeVolumeName).WithMountPath(bundle.DirStore)},
		slots: dispatcherSlots(in),
	}
	if usesNATS(in.Connector) {
		p.spread = true
		p.args = append(p.args, "--replica=$("+podNameVariable+")")
		p.env = []*corev1ac.EnvVarApplyConfiguration{corev1ac.EnvVar().WithName(podNameVariable).
			WithValueFrom(corev1ac.EnvVarSource().WithFieldRef(corev1ac.ObjectFieldSelector().WithFieldPath("metadata.name")))}
	}
	return p
}

// dispatcherDeployment runs, with an embedded queue, one pod and never two at a time: the queue volume has one writer. With
// NATS any number may run: each partition of the queue has one owner among them.
func dispatcherDeployment(in Input) Object {
	strategy := appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	if usesNATS(in.Connector) {
		strategy = addBeforeTakingAway()
	}
	return deployment(in, v1alpha1.ComponentDispatcher, DispatcherName(in.Connector.Name), dispatcherReplicas(in.Connector), strategy, dispatcherPod(in))
}

func deployment(in Input, component, name string, replicas int32, strategy *appsv1ac.DeploymentStrategyApplyConfiguration, p pod) Object {
	return appsv1ac.Deployment(name, in.Connector.Namespace).
		WithLabels(labels(in.Connector, component)).
		WithOwnerReferences(owner(in.Connector)).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(replicas).
			WithRevisionHistoryLimit(keptRevisions).
			WithStrategy(strategy).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(selector(in.Connector, component))).
			WithTemplate(p.template()))
}

// storeVolume is the queue volume or, with NATS, room for what can be made again from the streams.
func storeVolume(in Input) *corev1ac.VolumeApplyConfiguration {
	v := corev1ac.Volume().WithName(storeVolumeName)
	if usesNATS(in.Connector) {
		return v.WithEmptyDir(corev1ac.EmptyDirVolumeSource().WithSizeLimit(storageSize(in.Connector)))
	}
	return v.WithPersistentVolumeClaim(
		corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(QueueName(in.Connector.Name)))
}

func storageSize(c *v1alpha1.OAConnector) resource.Quantity {
	return quantity(c.Spec.Dispatcher.Storage.Size, defaultStorage)
}

func dispatcherService(in Input) Object {
	return service(in, v1alpha1.ComponentDispatcher, DispatcherName(in.Connector.Name),
		servicePort("events", bundle.PortPublic), servicePort("admin", bundle.PortAdmin), servicePort("peer", bundle.PortPeer))
}

func service(in Input, component, name string, ports ...*corev1ac.ServicePortApplyConfiguration) Object {
	return corev1ac.Service(name, in.Connector.Namespace).
		WithLabels(labels(in.Connector, component)).
		WithOwnerReferences(owner(in.Connector)).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(selector(in.Connector, component)).
			WithPorts(ports...))
}

func servicePort(name string, port int32) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().WithName(name).WithPort(port).WithProtocol(corev1.ProtocolTCP).
		WithTargetPort(intstr.FromString(name))
}

func serviceAccount(in Input, component string) Object {
	name := DispatcherName(in.Connector.Name)
	if component == v1alpha1.ComponentGateway {
		name = GatewayName(in.Connector.Name)
	}
	return corev1ac.ServiceAccount(name, in.Connector.Namespace).
		WithLabels(labels(in.Connector, component)).
		WithOwnerReferences(owner(in.Connector)).
		WithAutomountServiceAccountToken(false)
}

// queueClaim has no owner: it outlives its connector when deliveries are left in it, and a new connector of the same
// name takes it over by its label.
func queueClaim(in Input) Object {
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(corev1ac.VolumeResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceStorage: storageSize(in.Connector)}))
	if class := in.Connector.Spec.Dispatcher.Storage.ClassName; class != "" {
		spec.WithStorageClassName(class)
	}
	return corev1ac.PersistentVolumeClaim(QueueName(in.Connector.Name), in.Connector.Namespace).
		WithLabels(labels(in.Connector, v1alpha1.ComponentDispatcher)).
		WithSpec(spec)
}
