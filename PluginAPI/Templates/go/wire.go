// Protobuf's wire format. The messages of this plugin's contract are in messages.go.
//
// Decoding trusts nothing: every length is checked, messages nest at most depthLimit deep, and the elements of one decode are
// at most budgetLimit. Unknown fields are skipped. It does not panic, and copies what it keeps.

package main

import (
	"encoding/binary"
	"math"
	"sort"
	"unicode/utf8"
)

const (
	// Messages within messages, the outermost counted.
	depthLimit = 100
	// Elements of lists and maps, and messages within messages.
	budgetLimit = 4 << 20
)

const (
	varintFormat   = 0
	fixed64Format  = 1
	lengthFormat   = 2
	groupFormat    = 3
	groupEndFormat = 4
	fixed32Format  = 5
)

type message interface {
	// read takes one field; false where it is none of the message's, and nothing was read.
	read(number uint32, format int, in *reader) bool
	// write appends every field that is there.
	write(out *[]byte)
}

type messagePointer[M any] interface {
	*M
	message
}

// decode fills an empty message; false where the bytes are none of its type.
func decode(m message, data []byte) bool {
	budget := budgetLimit
	in := &reader{depth: depthLimit, budget: &budget}
	in.nested(m, data, 1)
	return !in.bad
}

func encode(m message) []byte {
	out := []byte{}
	m.write(&out)
	return out
}

// reader holds what is left to read. Once it is bad it stays so, and reads zeroes.
type reader struct {
	data   []byte
	depth  int
	budget *int
	bad    bool
}

func (in *reader) fail() { in.bad, in.data = true, nil }

func (in *reader) varint() uint64 {
	var value uint64
	for index := 0; index < 10 && index < len(in.data); index++ {
		b := in.data[index]
		value |= uint64(b&0x7F) << (7 * index)
		if b < 0x80 {
			in.data = in.data[index+1:]
			return value
		}
	}
	in.fail()
	return 0
}

func (in *reader) take(count uint64) []byte {
	if count > uint64(len(in.data)) {
		in.fail()
		return nil
	}
	taken := in.data[:count]
	in.data = in.data[count:]
	return taken
}

func (in *reader) delimited() []byte { return in.take(in.varint()) }

func (in *reader) fixed32() uint32 {
	if bytes := in.take(4); len(bytes) == 4 {
		return binary.LittleEndian.Uint32(bytes)
	}
	return 0
}

func (in *reader) fixed64() uint64 {
	if bytes := in.take(8); len(bytes) == 8 {
		return binary.LittleEndian.Uint64(bytes)
	}
	return 0
}

func (in *reader) tag() (uint32, int) {
	tag := in.varint()
	if tag >= math.MaxUint32 || tag>>3 == 0 || tag&7 > fixed32Format {
		in.fail()
		return 0, 0
	}
	return uint32(tag >> 3), int(tag & 7)
}

func (in *reader) spend() {
	if *in.budget--; *in.budget < 0 {
		in.fail()
	}
}

func (in *reader) skip(number uint32, format int) {
	switch format {
	case varintFormat:
		in.varint()
	case fixed64Format:
		in.take(8)
	case lengthFormat:
		in.delimited()
	case fixed32Format:
		in.take(4)
	case groupFormat:
		if in.depth == 0 {
			in.fail()
			return
		}
		in.depth--
		for !in.bad {
			inner, format := in.tag()
			if format == groupEndFormat && !in.bad {
				if inner != number {
					in.fail()
				}
				in.depth++
				return
			}
			in.skip(inner, format)
		}
	default:
		in.fail()
	}
}

// nested reads every field of some bytes as fields of one message so many levels deeper.
func (in *reader) nested(m message, data []byte, levels int) {
	if in.depth < levels {
		in.fail()
	}
	if in.bad {
		return
	}
	inner := &reader{data: data, depth: in.depth - levels, budget: in.budget}
	for len(inner.data) > 0 {
		number, format := inner.tag()
		if inner.bad {
			break
		}
		if !m.read(number, format, inner) {
			inner.skip(number, format)
		}
	}
	if inner.bad {
		in.fail()
	}
}

func putVarint(out *[]byte, value uint64) { *out = binary.AppendUvarint(*out, value) }

func putTag(out *[]byte, number uint32, format int) {
	putVarint(out, uint64(number)<<3|uint64(format))
}

// putLength puts the length of what was appended since start before it.
func putLength(out *[]byte, start int) {
	end := len(*out)
	var size [binary.MaxVarintLen64]byte
	count := binary.PutUvarint(size[:], uint64(end-start))
	*out = append(*out, size[:count]...)
	copy((*out)[start+count:], (*out)[start:end])
	copy((*out)[start:], size[:count])
}

// kind is what a field holds.
type kind[T any] struct {
	format int
	// read takes one value; a message takes further fields.
	read  func(in *reader, place *T)
	write func(out *[]byte, value T)
	// zero says whether a field without presence leaves it out.
	zero func(value T) bool
	// fresh is the value that a map's entry without one has.
	fresh func() T
	less  func(a, b T) bool
}

type number interface {
	~int32 | ~int64 | ~uint32 | ~uint64 | ~float32 | ~float64
}

func numberKind[T number](format int, read func(in *reader) T, write func(out *[]byte, value T), zero func(T) bool) kind[T] {
	return kind[T]{
		format: format,
		read:   func(in *reader, place *T) { *place = read(in) },
		write:  write,
		zero:   zero,
		fresh:  func() T { return 0 },
		less:   func(a, b T) bool { return a < b },
	}
}

func isZero[T comparable](value T) bool {
	var zero T
	return value == zero
}

var (
	int32Kind = numberKind(varintFormat, func(in *reader) int32 { return int32(in.varint()) },
		func(out *[]byte, value int32) { putVarint(out, uint64(int64(value))) }, isZero[int32])
	int64Kind = numberKind(varintFormat, func(in *reader) int64 { return int64(in.varint()) },
		func(out *[]byte, value int64) { putVarint(out, uint64(value)) }, isZero[int64])
	uint32Kind = numberKind(varintFormat, func(in *reader) uint32 { return uint32(in.varint()) },
		func(out *[]byte, value uint32) { putVarint(out, uint64(value)) }, isZero[uint32])
	uint64Kind = numberKind(varintFormat, func(in *reader) uint64 { return in.varint() },
		func(out *[]byte, value uint64) { putVarint(out, value) }, isZero[uint64])
	sint32Kind = numberKind(varintFormat,
		func(in *reader) int32 { raw := uint32(in.varint()); return int32(raw>>1 ^ -(raw & 1)) },
		func(out *[]byte, value int32) { putVarint(out, uint64(uint32(value)<<1^uint32(value>>31))) }, isZero[int32])
	sint64Kind = numberKind(varintFormat,
		func(in *reader) int64 { raw := in.varint(); return int64(raw>>1 ^ -(raw & 1)) },
		func(out *[]byte, value int64) { putVarint(out, uint64(value)<<1^uint64(value>>63)) }, isZero[int64])
	fixed32Kind = numberKind(fixed32Format, func(in *reader) uint32 { return in.fixed32() },
		func(out *[]byte, value uint32) { *out = binary.LittleEndian.AppendUint32(*out, value) }, isZero[uint32])
	sfixed32Kind = numberKind(fixed32Format, func(in *reader) int32 { return int32(in.fixed32()) },
		func(out *[]byte, value int32) { *out = binary.LittleEndian.AppendUint32(*out, uint32(value)) }, isZero[int32])
	fixed64Kind = numberKind(fixed64Format, func(in *reader) uint64 { return in.fixed64() },
		func(out *[]byte, value uint64) { *out = binary.LittleEndian.AppendUint64(*out, value) }, isZero[uint64])
	sfixed64Kind = numberKind(fixed64Format, func(in *reader) int64 { return int64(in.fixed64()) },
		func(out *[]byte, value int64) { *out = binary.LittleEndian.AppendUint64(*out, uint64(value)) }, isZero[int64])
	// By their bits: minus zero is a number that is there.
	floatKind = numberKind(fixed32Format, func(in *reader) float32 { return math.Float32frombits(in.fixed32()) },
		func(out *[]byte, value float32) { *out = binary.LittleEndian.AppendUint32(*out, math.Float32bits(value)) },
		func(value float32) bool { return math.Float32bits(value) == 0 })
	doubleKind = numberKind(fixed64Format, func(in *reader) float64 { return math.Float64frombits(in.fixed64()) },
		func(out *[]byte, value float64) { *out = binary.LittleEndian.AppendUint64(*out, math.Float64bits(value)) },
		func(value float64) bool { return math.Float64bits(value) == 0 })
	boolKind = kind[bool]{
		format: varintFormat,
		read:   func(in *reader, place *bool) { *place = in.varint() != 0 },
		write: func(out *[]byte, value bool) {
			if value {
				putVarint(out, 1)
			} else {
				putVarint(out, 0)
			}
		},
		zero:  func(value bool) bool { return !value },
		fresh: func() bool { return false },
		less:  func(a, b bool) bool { return !a && b },
	}
	stringKind = kind[string]{
		format: lengthFormat,
		read: func(in *reader, place *string) {
			text := in.delimited()
			if !utf8.Valid(text) {
				in.fail()
				return
			}
			*place = string(text)
		},
		write: func(out *[]byte, value string) {
			putVarint(out, uint64(len(value)))
			*out = append(*out, value...)
		},
		zero:  func(value string) bool { return value == "" },
		fresh: func() string { return "" },
		less:  func(a, b string) bool { return a < b },
	}
	bytesKind = kind[[]byte]{
		format: lengthFormat,
		read:   func(in *reader, place *[]byte) { *place = append([]byte{}, in.delimited()...) },
		write: func(out *[]byte, value []byte) {
			putVarint(out, uint64(len(value)))
			*out = append(*out, value...)
		},
		zero:  func(value []byte) bool { return len(value) == 0 },
		fresh: func() []byte { return nil },
	}
)

// enumKind is an open enum: values that have no name come through.
func enumKind[E ~int32]() kind[E] {
	return numberKind(varintFormat, func(in *reader) E { return E(int32(in.varint())) },
		func(out *[]byte, value E) { putVarint(out, uint64(int64(value))) }, isZero[E])
}

func messageKind[M any, P messagePointer[M]]() kind[*M] {
	return kind[*M]{
		format: lengthFormat,
		read: func(in *reader, place **M) {
			data := in.delimited()
			if *place == nil {
				in.spend()
				*place = new(M)
			}
			in.nested(P(*place), data, 1)
		},
		write: func(out *[]byte, value *M) {
			start := len(*out)
			if value != nil {
				P(value).write(out)
			}
			putLength(out, start)
		},
		zero:  func(value *M) bool { return value == nil },
		fresh: func() *M { return new(M) },
	}
}

// Each of these takes a field of its kind, and says false to one of another.

func readSingle[T any](k kind[T], place *T, format int, in *reader) bool {
	if format != k.format {
		return false
	}
	k.read(in, place)
	return true
}

func readOptional[T any](k kind[T], place **T, format int, in *reader) bool {
	if format != k.format {
		return false
	}
	if *place == nil {
		*place = new(T)
	}
	k.read(in, *place)
	return true
}

func readRepeated[T any](k kind[T], place *[]T, format int, in *reader) bool {
	one := func(in *reader) {
		in.spend()
		var value T
		if k.read(in, &value); !in.bad {
			*place = append(*place, value)
		}
	}
	if format == k.format {
		one(in)
	} else if format == lengthFormat {
		packed := &reader{data: in.delimited(), depth: in.depth, budget: in.budget}
		for len(packed.data) > 0 {
			one(packed)
		}
		if packed.bad {
			in.fail()
		}
	} else {
		return false
	}
	return true
}

type entry[K any, V any] struct {
	key       K
	value     V
	keyKind   kind[K]
	valueKind kind[V]
}

func (e *entry[K, V]) read(number uint32, format int, in *reader) bool {
	switch number {
	case 1:
		return readSingle(e.keyKind, &e.key, format, in)
	case 2:
		return readSingle(e.valueKind, &e.value, format, in)
	}
	return false
}

func (e *entry[K, V]) write(*[]byte) {}

func readMap[K comparable, V any](k kind[K], v kind[V], place *map[K]V, format int, in *reader) bool {
	if format != lengthFormat {
		return false
	}
	in.spend()
	e := &entry[K, V]{value: v.fresh(), keyKind: k, valueKind: v}
	// An entry is no level of its own.
	if in.nested(e, in.delimited(), 0); in.bad {
		return true
	}
	if *place == nil {
		*place = map[K]V{}
	}
	(*place)[e.key] = e.value
	return true
}

func put[T any](k kind[T], number uint32, value T, out *[]byte) {
	putTag(out, number, k.format)
	k.write(out, value)
}

func putSingle[T any](k kind[T], number uint32, value T, out *[]byte) {
	if !k.zero(value) {
		put(k, number, value, out)
	}
}

func putOptional[T any](k kind[T], number uint32, value *T, out *[]byte) {
	if value != nil {
		put(k, number, *value, out)
	}
}

func putRepeated[T any](k kind[T], number uint32, values []T, out *[]byte) {
	if k.format == lengthFormat {
		for _, value := range values {
			put(k, number, value, out)
		}
	} else if len(values) > 0 {
		putTag(out, number, lengthFormat)
		start := len(*out)
		for _, value := range values {
			k.write(out, value)
		}
		putLength(out, start)
	}
}

func putMap[K comparable, V any](k kind[K], v kind[V], number uint32, values map[K]V, out *[]byte) {
	keys := make([]K, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(a, b int) bool { return k.less(keys[a], keys[b]) })
	for _, key := range keys {
		putTag(out, number, lengthFormat)
		start := len(*out)
		put(k, 1, key, out)
		put(v, 2, values[key], out)
		putLength(out, start)
	}
}
