// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePlugin

@Suite struct DigestTests {
    /// FIPS 180-4 examples, and the lengths around a block's end.
    @Test(arguments: [
        (
            "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        ),
        (
            "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        ),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
    ])
    func digestsOfTheStandard(_ text: String, _ sha256: String, _ sha1: String) {
        #expect(Hex.encode(Digest.sha256(text.utf8)) == sha256)
        #expect(Hex.encode(Digest.sha1(text.utf8)) == sha1)
    }

    /// Digests of n times "a", from another implementation.
    @Test(arguments: [
        (
            55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
            "c1c8bbdc22796e28c0e15163d20899b65621d65a"
        ),
        (
            56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a",
            "c2db330f6083854c99d4b5bfb6e8f29f201be699"
        ),
        (
            63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34",
            "03f09f5b158a7a8cdad920bddc29b81c18a551f5"
        ),
        (
            64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
            "0098ba824b5c16427bd7a1122a5a442a25ec644d"
        ),
        (
            65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0",
            "11655326c708d70319be2610e8a57d9a5b959d3b"
        ),
        (
            119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb",
            "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"
        ),
        (
            120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c",
            "f34c1488385346a55709ba056ddd08280dd4c6d6"
        ),
        (
            1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3",
            "291e9a6c66994949b57ba5e650361e98fc36b1ba"
        ),
    ])
    func lengthsAroundABlock(_ count: Int, _ sha256: String, _ sha1: String) {
        let text = [UInt8](repeating: 0x61, count: count)
        #expect(Hex.encode(Digest.sha256(text)) == sha256)
        #expect(Hex.encode(Digest.sha1(text)) == sha1)
    }

    /// RFC 4231, test cases 1, 2, 6.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func macsOfTheStandard(_ key: [UInt8], _ text: String, _ mac: String) {
        #expect(Hex.encode(Digest.hmacSHA256(key: key, Array(text.utf8))) == mac)
    }

    /// SigV4 example get-vanilla: the derived key signs the string to sign.
    @Test func signatureOfAProviderIsReproduced() {
        let steps = ["20150830", "us-east-1", "service", "aws4_request"]
        let key = steps.reduce(Array("AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8)) {
            Digest.hmacSHA256(key: $0, Array($1.utf8))
        }
        let text = """
            AWS4-HMAC-SHA256
            20150830T123600Z
            20150830/us-east-1/service/aws4_request
            bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63
            """
        #expect(
            Hex.encode(Digest.hmacSHA256(key: key, Array(text.utf8)))
                == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    }

    @Test func equalityIsOfAllBytes() {
        #expect(Digest.equal([1, 2], [1, 2]))
        #expect(!Digest.equal([1, 2], [1, 3]))
        #expect(!Digest.equal([1], [1, 2]))
    }

    @Test func hexRefusesWhatIsNotHex() {
        #expect(Hex.decode("0aFF") == [10, 255])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("zz") == nil)
    }
}
