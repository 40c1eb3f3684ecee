package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Values that are known only when an item goes out. A template writes them ${item.version}, ${lookup.taskId} and so on;
// Fields has them under the same names.
const (
	// ItemVersion grows with each state of the item that is sent, and reads like a time in ms.
	ItemVersion = "item.version"
	// ItemReopened is empty at first, and -2, -3 … after the item was finished at the OA and opened again.
	ItemReopened = "item.reopened"
	// ItemEventTime is the time of the event in the template's dateFormat, ItemEventTimeMillis in ms since 1970.
	ItemEventTime       = "item.eventTime"
	ItemEventTimeMillis = "item.eventTimeMillis"
	// ItemCreatedAtMillis is F009 in ms since 1970.
	ItemCreatedAtMillis = "item.createdAtMillis"

	// LookupPrefix begins the values that the lookup of an action found, CapturedPrefix those that an earlier answer of the
	// OA gave.
	LookupPrefix   = "lookup."
	CapturedPrefix = "captured."

	itemPrefix = "item."
)

// itemValues are all names with itemPrefix.
var itemValues = []string{ItemVersion, ItemReopened, ItemEventTime, ItemEventTimeMillis, ItemCreatedAtMillis}

// isLive reports whether the name of a parameter is that of a value which is known only when an item goes out.
func isLive(name string) bool {
	return strings.HasPrefix(name, itemPrefix) || strings.HasPrefix(name, LookupPrefix) || strings.HasPrefix(name, CapturedPrefix)
}

// unknownLive says what is wrong with the name of a live value, or nothing.
func unknownLive(name string) string {
	if strings.HasPrefix(name, itemPrefix) && !slices.Contains(itemValues, name) {
		return "the item has no value ${" + name + "}" + didYouMean(name, itemValues)
	}
	return ""
}

// spelled is a value as a template writes it.
func spelled(id string) string {
	if isLive(id) {
		return "${" + id + "}"
	}
	return "#" + id
}

// Moment is what is known of an item when it goes out, beyond what its event says.
type Moment struct {
	// EventTime of the event, or when it was accepted.
	EventTime time.Time
	// Version of this state, see ItemVersion.
	Version int64
	// Reopened counts how often the item was finished at the OA and opened again.
	Reopened int
	// Captured values of earlier answers, without their prefix.
	Captured map[string]string
}

// With adds the values of a moment to f.
func (f Fields) With(m Moment) Fields {
	f[ItemVersion] = strconv.FormatInt(m.Version, 10)
	f[ItemReopened] = ""
	if m.Reopened > 0 {
		f[ItemReopened] = "-" + strconv.Itoa(m.Reopened+1)
	}
	f[ItemEventTime] = m.EventTime.Format(time.RFC3339Nano)
	f[ItemEventTimeMillis] = strconv.FormatInt(m.EventTime.UnixMilli(), 10)
	if at, err := time.Parse(time.RFC3339Nano, f[dateField]); err == nil {
		f[ItemCreatedAtMillis] = strconv.FormatInt(at.UnixMilli(), 10)
	}
	for name, value := range m.Captured {
		f[CapturedPrefix+name] = value
	}
	return f
}

// uses collects the live values that stand in parts.
func uses(names map[string]bool, parts []part) {
	for _, p := range parts {
		if p.op != opText && p.op != opSegmentEnd && isLive(p.text) {
			names[p.text] = true
		}
	}
}

// values returns the live values of a call, without those of its lookup.
func (c *call) values() map[string]bool {
	names := map[string]bool{}
	uses(names, c.path)
	uses(names, c.body)
	for _, h := range c.headers {
		uses(names, h.value)
	}
	return names
}
