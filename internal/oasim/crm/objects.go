package crm

import (
	"fmt"
	"sync"
)

// ToDoObject is the API name of the CRM object that stands for a to-do, for those who learn of it by callback.
const ToDoObject = "ToDo__c"

// The event types of callbacks. "update" is in the book (FX-EVT); the others are from memory.
const (
	eventAdd     = "add"
	eventUpdate  = "update"
	eventInvalid = "invalid"
)

// maxObjects bounds what the open interface can hand out.
const maxObjects = 100_000

// objectStore holds the records that the open interface hands out, by their fields.
type objectStore struct {
	mu    sync.RWMutex
	known map[Object]map[string]any
}

func newObjects() *objectStore { return &objectStore{known: map[Object]map[string]any{}} }

// SetObject makes a record known to the open interface; nil fields forget it.
func (c *CRM) SetObject(o Object, fields map[string]any) error {
	c.objects.mu.Lock()
	defer c.objects.mu.Unlock()
	if fields == nil {
		delete(c.objects.known, o)
		return nil
	}
	if _, ok := c.objects.known[o]; !ok && len(c.objects.known) >= maxObjects {
		return fmt.Errorf("more than %d objects", maxObjects)
	}
	c.objects.known[o] = fields
	return nil
}

func (os *objectStore) get(o Object) (map[string]any, bool) {
	os.mu.RLock()
	defer os.mu.RUnlock()
	fields, ok := os.known[o]
	return fields, ok
}

// publish makes the state after an event what the open interface hands out.
func (c *CRM) publish(e Event) error {
	t := e.Data
	accounts := make([]string, len(t.Receivers))
	for i, r := range t.Receivers {
		accounts[i] = r.Account
	}
	return c.SetObject(Object{ToDoObject, t.ID}, map[string]any{
		"_id": t.ID, "object_describe_api_name": ToDoObject, "version": fmt.Sprint(t.Version),
		"create_time": t.CreatedAt.UnixMilli(), "last_modified_time": e.Time.UnixMilli(),
		"created_by": []string{t.Sender.Account}, "created_by__r": map[string]any{"id": t.Sender.Account, "name": t.Sender.Name},
		"name": t.Subject, "heading__c": t.Heading, "detail__c": t.Detail, "state__c": expected(e, Person{}, "").State,
		"target_api_name__c": t.Object.APIName, "target_id__c": t.Object.ID, "receivers__c": accounts,
	})
}

// eventType is what a callback calls an event.
func eventType(e Event) string {
	switch e.Type {
	case Created:
		return eventAdd
	case Deleted:
		return eventInvalid
	}
	return eventUpdate
}
