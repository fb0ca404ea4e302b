// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// See driver.c.

package main

import (
	"encoding/binary"
	"io"
	"os"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var out []byte
	for len(input) >= 5 {
		which, size := input[0], binary.LittleEndian.Uint32(input[1:])
		bytes := input[5 : 5+size]
		input = input[5+size:]
		var m message = &Everything{}
		if which == 1 {
			m = &Maps{}
		}
		var result []byte
		if is := decode(m, bytes); is {
			result = encode(m)
			out = append(out, 1)
		} else {
			out = append(out, 0)
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(len(result)))
		out = append(out, result...)
	}
	os.Stdout.Write(out)
}
