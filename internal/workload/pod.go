package workload

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

const (
	// containerName is the same in both workloads: kubectl logs needs no -c.
	containerName = "oabridge"
	// workloadID is the user and group that the workloads run as ("nonroot" of distroless images).
	workloadID = 65532
	// secretMode lets the owner and the group read a mounted Secret, and nobody else.
	secretMode = 0o440

	// A start may replay a large queue: it has startFailures × startPeriod = 5 minutes.
	startPeriod   = 2   // seconds
	startFailures = 150 //
	readyPeriod   = 5   // seconds
	livePeriod    = 10  // seconds
	liveFailures  = 6
	probeTimeout  = 3 // seconds
)

// pod is what a dispatcher and a gateway pod have in common, with what is particular to each as fields.
type pod struct {
	in        Input
	component string
	account   string
	args      []string
	ports     map[string]int32
	resources *corev1ac.ResourceRequirementsApplyConfiguration
	grace     int64
	volumes   []*corev1ac.VolumeApplyConfiguration
	mounts    []*corev1ac.VolumeMountApplyConfiguration
	slots     []slot
	spread    bool
	env       []*corev1ac.EnvVarApplyConfiguration
}

// template holds nothing that changes with the configuration: new configuration reaches a running pod as files.
func (p pod) template() *corev1ac.PodTemplateSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(p.account).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(p.grace).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).
			WithRunAsUser(workloadID).
			WithRunAsGroup(workloadID).
			WithFSGroup(workloadID).
			WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(p.container()).
		WithVolumes(bundleVolume(p.in)).
		WithVolumes(p.volumes...)
	for _, s := range p.slots {
		spec.WithVolumes(s.volume())
	}
	chosen := metav1ac.LabelSelector().WithMatchLabels(selector(p.in.Connector, p.component))
	if p.spread {
		spec.WithTopologySpreadConstraints(spread(chosen))
	}
	template := corev1ac.PodTemplateSpec().WithLabels(labels(p.in.Connector, p.component)).WithSpec(spec)
	customise(template, podTemplateOf(p.in.Connector, p.component), chosen)
	return template
}

func (p pod) container() *corev1ac.ContainerApplyConfiguration {
	c := corev1ac.Container().
		WithName(containerName).
		WithImage(p.in.Image).
		WithArgs(p.component, "--bundle="+bundle.DirBundle, "--secrets="+bundle.DirSecrets).
		WithArgs(p.args...).
		WithEnv(corev1ac.EnvVar().WithName("GOMEMLIMIT").WithValue(goMemoryLimit(p.resources))).
		WithEnv(p.env...).
		WithEnv(tracingEnv(p.in.Connector)...).
		WithResources(p.resources).
		WithStartupProbe(probe("/healthz", startPeriod, startFailures)).
		WithReadinessProbe(probe("/readyz", readyPeriod, 2)).
		WithLivenessProbe(probe("/healthz", livePeriod, liveFailures)).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(corev1ac.VolumeMount().
			WithName(bundleVolumeName).WithMountPath(bundle.DirBundle).WithReadOnly(true)).
		WithVolumeMounts(p.mounts...)
	if p.in.PullPolicy != "" {
		c.WithImagePullPolicy(p.in.PullPolicy)
	}
	for _, name := range slices.Sorted(maps.Keys(p.ports)) {
		c.WithPorts(corev1ac.ContainerPort().
			WithName(name).WithContainerPort(p.ports[name]).WithProtocol(corev1.ProtocolTCP))
	}
	for _, s := range p.slots {
		c.WithVolumeMounts(s.mount())
	}
	return c
}

// podOf returns the pod of a component.
func podOf(in Input, component string) pod {
	if component == v1alpha1.ComponentGateway {
		return gatewayPod(in)
	}
	return dispatcherPod(in)
}

// spread asks for one pod on each node, where there are enough nodes. Zones are left to the user: the scheduler passes over
// every node that lacks the label of one of a pod's constraints, so in a cluster without zones nothing would be spread.
func spread(chosen *metav1ac.LabelSelectorApplyConfiguration) *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).
		WithTopologyKey(corev1.LabelHostname).
		WithWhenUnsatisfiable(corev1.ScheduleAnyway).
		WithLabelSelector(chosen)
}

// addBeforeTakingAway is a rollout in which a new pod is ready before an old one goes.
func addBeforeTakingAway() *appsv1ac.DeploymentStrategyApplyConfiguration {
	return appsv1ac.DeploymentStrategy().
		WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
			WithMaxUnavailable(intstr.FromInt32(0)).
			WithMaxSurge(intstr.FromInt32(1)))
}

// disruptionBudget lets a node be emptied one pod at a time.
func disruptionBudget(in Input, component, name string) Object {
	return policyv1ac.PodDisruptionBudget(name, in.Connector.Namespace).
		WithLabels(labels(in.Connector, component)).
		WithOwnerReferences(owner(in.Connector)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(selector(in.Connector, component))))
}

func probe(path string, period, failures int32) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString("admin"))).
		WithPeriodSeconds(period).
		WithTimeoutSeconds(probeTimeout).
		WithFailureThreshold(failures)
}

const bundleVolumeName = "bundle"

// bundleVolume joins the root document and the account shards in one directory. There is a place for the first shard also while there
// are no pairs: a connector and its first AccountBinding are most often made together, and its pods are not to be made twice.
func bundleVolume(in Input) *corev1ac.VolumeApplyConfiguration {
	projected := corev1ac.ProjectedVolumeSource().WithSources(projectedConfigMap(BundleName(in.Connector.Name)))
	for i := range max(1, len(in.Bundle.Accounts.Shards)) {
		shard := projectedConfigMap(AccountsName(in.Connector.Name, i))
		if i == 0 {
			shard.ConfigMap.WithOptional(true)
		}
		projected.WithSources(shard)
	}
	return corev1ac.Volume().WithName(bundleVolumeName).WithProjected(projected)
}

func projectedConfigMap(name string) *corev1ac.VolumeProjectionApplyConfiguration {
	return corev1ac.VolumeProjection().WithConfigMap(corev1ac.ConfigMapProjection().WithName(name))
}
