package conformance

import "github.com/oabridge/oabridge/api/v1alpha1"

// envelope is a SOAP 1.1 answer with one element.
func envelope(element, content string) string {
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns1="urn:x"><s:Body><ns1:answer><` +
		element + `>` + content + `</` + element + `></ns1:answer></s:Body></s:Envelope>`
}

// soapLies are those of every web service whose answer stands in an element.
func soapLies(element string) []lie {
	return []lie{
		{"the element is empty", envelope(element, ""), v1alpha1.ClassBusinessCode},
		{"the element is not there", envelope("ns1:other", "1"), v1alpha1.ClassBusinessCode},
		{"a fault with HTTP 200", `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>` +
			`<s:Reason><s:Text>bad</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`, v1alpha1.ClassBusinessCode},
		{"JSON instead of XML", `{"operResult":"1","returnState":2,"code":0}x`, v1alpha1.ClassServerError},
		{"an external entity", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + envelope(element, "&e;"), v1alpha1.ClassServerError},
	}
}
