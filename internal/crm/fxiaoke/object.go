package fxiaoke

import (
	"context"
	"strings"

	"github.com/tidwall/gjson"
)

// Object returns the fields of one record as JSON, at most 1 MiB [FX-NEW, FX-NET §9.4]. The error is an *Error.
func (c *Client) Object(ctx context.Context, apiName, id string) ([]byte, error) {
	path := "/cgi/crm/v2/data/get"
	if strings.HasSuffix(apiName, "__c") {
		path = "/cgi/crm/custom/v2/data/get"
	}
	answer, err := c.call(ctx, path, map[string]any{
		"data": map[string]string{"dataObjectApiName": apiName, "objectDataId": id},
	}, maxObject)
	if err != nil {
		return nil, err
	}
	data := gjson.GetBytes(answer, "data")
	if !data.IsObject() {
		return nil, &Error{Kind: Rejected, Message: "the CRM returns no data for the record: it is gone, or spec.source.crm.openUserID may not see it"}
	}
	return []byte(data.Raw), nil
}
