// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePlugin

@testable import TencentSMS

struct SignatureTests {
    /// The example of Tencent's own description; the asterisks are letters of the key.
    @Test func thePublishedVectorIsMade() {
        let body = #"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#
        let signature = TencentSignature(
            contentType: "application/json; charset=utf-8", host: "cvm.tencentcloudapi.com", service: "cvm",
            timestamp: 1_551_113_065, body: Array(body.utf8))
        #expect(signature.date == "2019-02-25")
        #expect(
            signature.canonicalRequest
                == "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:cvm.tencentcloudapi.com\n\ncontent-type;host\n35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
        )
        #expect(
            signature.stringToSign
                == "TC3-HMAC-SHA256\n1551113065\n2019-02-25/cvm/tc3_request\n5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031"
        )
        let dayKey = Digest.hmacSHA256(
            key: Array("TC3Gu5t9xGARNpq86cd98joQYCN3*******".utf8), Array(signature.date.utf8))
        #expect(
            signature.signature(dayKey: dayKey) == "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c")
        #expect(
            signature.authorization(secretID: "AKIDtest", dayKey: dayKey)
                == "TC3-HMAC-SHA256 Credential=AKIDtest/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"
        )
    }
}
