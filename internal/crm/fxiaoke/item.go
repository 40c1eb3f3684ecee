package fxiaoke

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/scenario"
)

// Fields that the CRM gives to every object, in the order in which they stand in for a path that a rule leaves out. The names
// are from memory; a rule's own path comes before them.
var (
	versionFields = []string{"version", "last_modified_time"}
	createdFields = []string{"create_time"}
	senderFields  = []string{"created_by", "owner"}
	nameFields    = []string{"created_by__r.name", "owner__r.name"}
	subjectFields = []string{"name"}
)

// paths returns the rule's own path, or what stands in for it.
func paths(own string, fallbacks []string) []string {
	if own != "" {
		return []string{own}
	}
	return fallbacks
}

// item makes an item of an object's data. The errors are about values that are there and cannot be read; what is missing is
// found by the item's own validation.
func (rs *rules) item(fields map[string]string, n notice, data []byte) (scenario.Item, []scenario.FieldError) {
	get := func(name string, fallbacks ...string) string { return first(data, paths(fields[name], fallbacks)...) }
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	it := scenario.Item{
		Heading: shorten(get(fieldHeading)), Subject: shorten(get(fieldSubject, subjectFields...)), Detail: shorten(get(fieldDetail)),
		EnterpriseID: rs.enterpriseID, CreatedAt: n.at,
		Sender: scenario.Person{Account: get(fieldSenderAccount, senderFields...), Name: shorten(get(fieldSenderName, nameFields...))},
	}
	it.Sender.Name = or(it.Sender.Name, it.Sender.Account)
	// A path that leads nowhere is a mistake in the rule: standing in for it would mix up items.
	it.ID, it.Object.APIName, it.Object.ID = get(fieldID), get(fieldObjectAPIName), get(fieldObjectID)
	for name, target := range map[string]struct {
		value     *string
		otherwise string
	}{fieldID: {&it.ID, n.dataID}, fieldObjectAPIName: {&it.Object.APIName, n.apiName}, fieldObjectID: {&it.Object.ID, n.dataID}} {
		if fields[name] == "" {
			*target.value = target.otherwise
		}
	}
	var accounts []string
	for _, account := range scalars(gjson.GetBytes(data, fields[fieldReceivers])) {
		if !slices.Contains(accounts, account) {
			accounts = append(accounts, account)
			it.Receivers = append(it.Receivers, scenario.Person{Account: account})
		}
	}
	var errs []scenario.FieldError
	if text := get(fieldVersion, versionFields...); text != "" {
		version, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			errs = append(errs, scenario.FieldError{Field: fieldVersion, Cause: "is not a whole number"})
		}
		it.Version = version
	}
	if text := get(fieldCreatedAt, createdFields...); text != "" {
		at, ok := parseTime(text)
		if !ok {
			errs = append(errs, scenario.FieldError{Field: fieldCreatedAt, Cause: "is neither milliseconds since 1970 nor RFC 3339"})
		}
		it.CreatedAt = at
	}
	return it, errs
}

// parseTime reads a time as the CRM writes it, milliseconds since 1970 [FX-NEW §9.4], or RFC 3339.
func parseTime(text string) (time.Time, bool) {
	if millis, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(millis), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// shorten cuts a text to what an item may hold: a long title must not cost the event.
func shorten(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= scenario.MaxText {
		return text
	}
	cut := scenario.MaxText - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
