/// Certificates that protect nothing: they exist for these tests only.
struct TestCertificate {
    let certificate: String
    let key: String

    /// Self-signed, for localhost.
    static let server = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBnDCCAUGgAwIBAgIUUVWkmrFtWiT4EuBj7P9P6+VvgsYwCgYIKoZIzj0EAwIw
            FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE2MjA0OVoYDzIxMjYxMDMx
            MTYyMDQ5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
            PQMBBwNCAASyufMrpDE0A8ylpIiicGJ95uJ0fBF2ToiucFtzug5V5kfGlSeF0oHO
            aKEQXK0Ufb1TGx2YNWyYos98DoGKnrvvo28wbTAdBgNVHQ4EFgQUqxg1MzqzvQsM
            lYWZyjy/y2fuvfswHwYDVR0jBBgwFoAUqxg1MzqzvQsMlYWZyjy/y2fuvfswDwYD
            VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
            zj0EAwIDSQAwRgIhAOtjHq1qKBaUgvRTehkJONtujpgr3xa495UtbdjrV55KAiEA
            om538zuBDbrW1JapMosM2gwOGKRuNw5oLfCG2FJHSgw=
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOJ3u2sF5ltw9lFlU
            kD3hGn1S8wM+kRgcSy7BZo02AZahRANCAASyufMrpDE0A8ylpIiicGJ95uJ0fBF2
            ToiucFtzug5V5kfGlSeF0oHOaKEQXK0Ufb1TGx2YNWyYos98DoGKnrvv
            -----END PRIVATE KEY-----
            """)

    /// Another of the same kind.
    static let renewedServer = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBmjCCAUGgAwIBAgIUSkRmEZQYeKTAp1YP/zEv2sBdgsgwCgYIKoZIzj0EAwIw
            FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE4MzkxNVoYDzIxMjYxMDMx
            MTgzOTE1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
            PQMBBwNCAARVOCJE/Hag6jLyg6h3OS6E3FmbN5ki0wIjOU0sXxOlhHDB1j9hE6aS
            3yeMxkdJdzunLKo8QgQtv+3k6vGEtwIro28wbTAdBgNVHQ4EFgQUKWYlLznwFWNr
            QHQoGxht308LafEwHwYDVR0jBBgwFoAUKWYlLznwFWNrQHQoGxht308LafEwDwYD
            VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
            zj0EAwIDRwAwRAIgIpjqksE/wdcrqyiYXzc8I/mMBzffCHFVU3+uSIB1TMYCIF7t
            iGhX/JVBYYju7ZcqY6cVzr5FQVQZ+S3FoXvYPEXI
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwWMlMxjIdebETGpI
            E8GB18KjA3+91khh4eYoqkrt1w+hRANCAARVOCJE/Hag6jLyg6h3OS6E3FmbN5ki
            0wIjOU0sXxOlhHDB1j9hE6aS3yeMxkdJdzunLKo8QgQtv+3k6vGEtwIr
            -----END PRIVATE KEY-----
            """)

    /// Signs ``client``.
    static let authority = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBiDCCAS+gAwIBAgIUIk8POJBYSHRnWDs9kpPnMQar+wswCgYIKoZIzj0EAwIw
            GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI0MTgzOTE1WhgPMjEy
            NjEwMzExODM5MTVaMBkxFzAVBgNVBAMMDnRlc3QgYXV0aG9yaXR5MFkwEwYHKoZI
            zj0CAQYIKoZIzj0DAQcDQgAEbOWnGSjUjIUAyX+7dsh0WJnsbICVRS2NtIaxaLKQ
            wMJJxw2r6cFOMXDCDWcmC6uBK1FQNYrjLREjrAzNO+m7Q6NTMFEwHQYDVR0OBBYE
            FH+ZVpjUhqC+kcerFIY1LXTIiM/KMB8GA1UdIwQYMBaAFH+ZVpjUhqC+kcerFIY1
            LXTIiM/KMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgOnwsQ4+g
            haLgxNoxH5TrC/hwnBkNVjB5CrQHLPPfkvQCIA1Nq6cMMmAUPadgbhuKrMkgBdIy
            Y78GosRIPJq/EXEg
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6CIE2/bbi+7xboEi
            PkBbWv3YSz+k8+zJJ9wx6WhNTK6hRANCAARs5acZKNSMhQDJf7t2yHRYmexsgJVF
            LY20hrFospDAwknHDavpwU4xcMINZyYLq4ErUVA1iuMtESOsDM076btD
            -----END PRIVATE KEY-----
            """)

    /// Signed by ``authority``.
    static let client = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBJjCBzQIUH8N+gXkX976cxlI5v/0R6o2VzIkwCgYIKoZIzj0EAwIwGTEXMBUG
            A1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI0MTgzOTE1WhgPMjEyNjEwMzEx
            ODM5MTVaMBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEH
            A0IABNGChonIRsoUzfNll2bk0VTAs2SYylU5KtUvOBrjrTHby7LYH541cI/w1O3T
            RDxCVkFcYzTOTESJMuDZC1m20w4wCgYIKoZIzj0EAwIDSAAwRQIgE11WRSfRx3IJ
            BQoozsk5caujHPWDcu5RiTvvZ870ddgCIQCFOMLigxtgc6cWPoHLDHEhrMRQtZDN
            dmFXkNRVOGlmXw==
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyh7uXlX9s0n9lpO2
            nCU2+IuU5wYzaDKeKmRwjUM1PV+hRANCAATRgoaJyEbKFM3zZZdm5NFUwLNkmMpV
            OSrVLzga460x28uy2B+eNXCP8NTt00Q8QlZBXGM0zkxEiTLg2QtZttMO
            -----END PRIVATE KEY-----
            """)

    /// Signed by itself.
    static let stranger = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBfTCCASOgAwIBAgIUbM6RwP8LUdU+9rL/gc3QU4Tr/fIwCgYIKoZIzj0EAwIw
            EzERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTI0MTgzOTE1WhgPMjEyNjEwMzEx
            ODM5MTVaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0D
            AQcDQgAERn15cjAPHU7fmiGyN6KXd/9Qu7jScfuajUuwTEuyQCXGnAIoD2Xl9ABK
            pwo8IxZch510n3KTPkTmrDQhOVASzaNTMFEwHQYDVR0OBBYEFObsMgspi9BpFTaL
            HBEA9rFOuBZOMB8GA1UdIwQYMBaAFObsMgspi9BpFTaLHBEA9rFOuBZOMA8GA1Ud
            EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgBu17fX83qWFzZTHm42JTSnXC
            QUwAaBwNFsbkS7Y9KtMCIQDA0GVCAFUzvx9dhs0fzrb3GjYs9au6jy/wYgFkVwRI
            LQ==
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgonS6YMRvrjSwxtMA
            bJYTipd2yXeju8VkJqpm3Pui1jChRANCAARGfXlyMA8dTt+aIbI3opd3/1C7uNJx
            +5qNS7BMS7JAJcacAigPZeX0AEqnCjwjFlyHnXSfcpM+ROasNCE5UBLN
            -----END PRIVATE KEY-----
            """)
}
