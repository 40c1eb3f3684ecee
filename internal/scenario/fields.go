package scenario

import "time"

// Fields are the values of the placeholders of one delivery by their number, e.g. "F012", and the live values by their
// name. F009 and ItemEventTime are RFC 3339.
type Fields map[string]string

// Fields returns the values of all placeholders for one receiver. Both accounts are OA accounts; the sender's is empty
// when the sender is not bound.
func (it Item) Fields(receiverOA, senderOA string) Fields {
	return Fields{
		"F001": receiverOA,
		"F009": it.CreatedAt.Format(time.RFC3339Nano),
		"F012": it.ID,
		"F015": it.Object.ID,
		"F028": it.EnterpriseID,
		"F037": it.Object.APIName,
		"F049": senderOA,
		"F053": it.Detail,
		"F054": it.Sender.Name,
		"F055": it.Heading,
		"F056": it.Subject,
	}
}
