package tracing

import "go.opentelemetry.io/otel/attribute"

// Attributes that spans of several places have.
const (
	ItemID   = attribute.Key("oabridge.item.id")
	ItemKind = attribute.Key("oabridge.item.kind")
	Action   = attribute.Key("oabridge.item.action")
)

// Connector is namespace/name.
func Connector(namespace, name string) attribute.KeyValue {
	return attribute.String("oabridge.connector", namespace+"/"+name)
}

// Record of the CRM: the same for the event that made a to-do of it and for the click that opens it, whose traces nothing else
// joins, because the link in a to-do has the form that the OA prescribes.
func Record(apiName, id string) attribute.KeyValue {
	return attribute.String("oabridge.record", apiName+"/"+id)
}
