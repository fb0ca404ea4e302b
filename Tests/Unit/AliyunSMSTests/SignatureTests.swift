// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePlugin

@testable import AliyunSMS

struct SignatureTests {
    /// Alibaba's own test of its libraries.
    @Test func thePublishedVectorIsMade() {
        let signature = AliyunSignature(
            method: "GET", query: [("test", "ok"), ("empty", "")],
            headers: [("x-acs-test", "http"), ("x-acs-TEST", "https")],
            payload: "55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23")
        #expect(
            signature.canonicalRequest
                == "GET\n/\nempty=&test=ok\nx-acs-test:http,https\n\nx-acs-test\n55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23"
        )
        #expect(
            signature.stringToSign
                == "ACS3-HMAC-SHA256\n6c416f315497f25326e3f67e06370dbfce4d082b99aecdfc2411eeecd152f68f")
        let mac = Digest.hmacSHA256(key: Array("secret".utf8), Array(signature.stringToSign.utf8))
        #expect(
            signature.authorization(accessKeyID: "acesskey", mac: mac)
                == "ACS3-HMAC-SHA256 Credential=acesskey,SignedHeaders=x-acs-test,Signature=d16b30a7699ae9e43875b13195b2f81bcc3ed10c14a9b5eb780e51619aa50be1"
        )
    }

    @Test(arguments: [("a b~c*", "a%20b~c%2A"), ("汴", "%E6%B1%B4"), ("-._", "-._"), ("+/=", "%2B%2F%3D")])
    func textsAreEscapedByRFC3986(_ text: String, _ escaped: String) {
        #expect(AliyunSignature.escape(text) == escaped)
    }
}
