package bundle

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Partitions that the queue of a connector is divided into: 1 for an embedded one.
func Partitions(c *v1alpha1.OAConnector) int {
	if q := c.Spec.Dispatcher.Queue; q.Type == v1alpha1.QueueNATS {
		return int(or(q.NATS.Partitions, DefaultPartitions))
	}
	return 1
}

func compileQueue(q v1alpha1.Queue) (Queue, []Problem) {
	if or(q.Type, DefaultQueue) != v1alpha1.QueueNATS {
		return Queue{Type: string(v1alpha1.QueueEmbedded), Partitions: 1}, nil
	}
	out := Queue{
		Type:           string(v1alpha1.QueueNATS),
		URLs:           slices.Clone(q.NATS.URLs),
		Credentials:    q.NATS.CredentialsSecretRef.Name != "",
		CustomCA:       q.NATS.CASecretRef.Name != "",
		AllowedCIDRs:   slices.Clone(q.NATS.AllowedCIDRs),
		StreamReplicas: int(or(q.NATS.StreamReplicas, DefaultStreamReplicas)),
		Partitions:     int(or(q.NATS.Partitions, DefaultPartitions)),
		MaxBytes:       DefaultQueueMaxBytes,
	}
	if q.NATS.MaxBytes != "" {
		size, err := resource.ParseQuantity(q.NATS.MaxBytes)
		if err != nil {
			return out, []Problem{{v1alpha1.ReasonSpecInvalid, "spec.dispatcher.queue.nats.maxBytes",
				fmt.Sprintf("%q is not a quantity; write one such as 1Gi", q.NATS.MaxBytes), true}}
		}
		out.MaxBytes = size.Value()
	}
	return out, nil
}

func compileRecords(r v1alpha1.Records) Records {
	return Records{MaxAge: durationOr(r.MaxAge.Duration, DefaultRecordsMaxAge), Postgres: r.IndexSecretRef.Name != "", AllowedCIDRs: slices.Clone(r.AllowedCIDRs)}
}
