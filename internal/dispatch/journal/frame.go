package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// frameVersion is the first byte of a frame.
const frameVersion = 1

// ID tells items apart: a repeat of one is a duplicate. The zero ID means that nothing is known about repeats.
type ID [16]byte

// frame is what one stored message holds: items that were synced together. Items are numbered through, without gaps,
// over the life of a log; a frame says the number of its first one. A frame without items marks a change of owner.
type frame struct {
	first uint64
	items []Message
}

// errFrame: the bytes are no frame.
var errFrame = errors.New("not a frame of this version")

func (f frame) encode() []byte {
	size := 1 + 2*binary.MaxVarintLen64
	for i := range f.items {
		size += len(ID{}) + binary.MaxVarintLen64 + len(f.items[i].Data)
	}
	b := make([]byte, 0, size)
	b = append(b, frameVersion)
	b = binary.AppendUvarint(b, f.first)
	b = binary.AppendUvarint(b, uint64(len(f.items)))
	for i := range f.items {
		b = append(b, f.items[i].ID[:]...)
		b = binary.AppendUvarint(b, uint64(len(f.items[i].Data)))
		b = append(b, f.items[i].Data...)
	}
	return b
}

// decodeFrame reads a frame; the items share its memory.
func decodeFrame(b []byte) (f frame, err error) {
	if len(b) == 0 || b[0] != frameVersion {
		return f, errFrame
	}
	b = b[1:]
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			err = fmt.Errorf("%w: cut short", errFrame)
			return 0
		}
		b = b[n:]
		return v
	}
	f.first = number()
	count := number()
	if err != nil || count > uint64(len(b)) {
		return frame{}, errFrame
	}
	f.items = make([]Message, 0, count)
	for range count {
		var m Message
		if len(b) < len(m.ID) {
			return frame{}, errFrame
		}
		copy(m.ID[:], b)
		b = b[len(m.ID):]
		size := number()
		if err != nil || size > uint64(len(b)) {
			return frame{}, errFrame
		}
		m.Data, b = b[:size:size], b[size:]
		f.items = append(f.items, m)
	}
	return f, nil
}
