/// Certificates of the tests' own authority, until 2126, with their keys.
enum TLSTestCertificate: CaseIterable {
    case authority
    /// For localhost, 127.0.0.1 and ::1.
    case server
    /// For elsewhere.test.
    case elsewhere
    case client

    var certificate: String {
        switch self {
        case .authority:
            """
            -----BEGIN CERTIFICATE-----
            MIIBmjCCAUGgAwIBAgIUcMWjN7gPS3bw4X+RHNVnbPOpZfEwCgYIKoZIzj0EAwIw
            IjEgMB4GA1UEAwwXZXhwb3J0ZXIgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI5MTUw
            MTU3WhgPMjEyNjExMDUxNTAxNTdaMCIxIDAeBgNVBAMMF2V4cG9ydGVyIHRlc3Qg
            YXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4+39GghHkAJv+ctw
            aBnzuO5hbeO8aBmxNIyEfrL5PTpNi6u3quUvgC6R2ku8EfxNxdLo9yNk6g/ztRHT
            d209vKNTMFEwHQYDVR0OBBYEFGw/D3MK3X0oZbuoNTQ+12/3qN5MMB8GA1UdIwQY
            MBaAFGw/D3MK3X0oZbuoNTQ+12/3qN5MMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
            zj0EAwIDRwAwRAIgONc8mhUNvtdzDWEWl4e/JJCrAGm8XGSDmXEgnjVpNYcCICPN
            6aOI0AD3icprvYiNrT/Xpuzqw5yBfyv/J6vTz+aV
            -----END CERTIFICATE-----
            """
        case .server:
            """
            -----BEGIN CERTIFICATE-----
            MIIBqTCCAVCgAwIBAgIUHnI6zAh8nOmgV28DCawEzSFP0u4wCgYIKoZIzj0EAwIw
            IjEgMB4GA1UEAwwXZXhwb3J0ZXIgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI5MTUw
            MTU3WhgPMjEyNjExMDUxNTAxNTdaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMG
            ByqGSM49AgEGCCqGSM49AwEHA0IABGxBw8Y0GF76/MGrNM5zrIBESfIndDbSsaJQ
            SPSNWmvIqtK3LBTqpuF/gpYACWpcWaR6N1LaLX1JMRAYoTqq1NqjcDBuMCwGA1Ud
            EQQlMCOCCWxvY2FsaG9zdIcEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAdBgNVHQ4E
            FgQUZ4L15K2WiedjSMhmJ+DEJ4zdlq0wHwYDVR0jBBgwFoAUbD8PcwrdfShlu6g1
            ND7Xb/eo3kwwCgYIKoZIzj0EAwIDRwAwRAIgRv4rcffJdkMHzn/FwkgZ++IOHQ70
            K/3N11DzrkwjoP8CIA7zWTV/gsbqkJLQ8kHGpUkGt4ZgYedweXqEn5qKp4ys
            -----END CERTIFICATE-----
            """
        case .elsewhere:
            """
            -----BEGIN CERTIFICATE-----
            MIIBlzCCAT2gAwIBAgIUHnI6zAh8nOmgV28DCawEzSFP0u8wCgYIKoZIzj0EAwIw
            IjEgMB4GA1UEAwwXZXhwb3J0ZXIgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI5MTUw
            MTU3WhgPMjEyNjExMDUxNTAxNTdaMBQxEjAQBgNVBAMMCWVsc2V3aGVyZTBZMBMG
            ByqGSM49AgEGCCqGSM49AwEHA0IABAj25d/Pv31oi2JZM0klE722ofSnRaHNIsg1
            DjnCaMol9FugC4VheBAWSMIHGxMa8/w3W+nvgIuj+JTKOvMYkNejXTBbMBkGA1Ud
            EQQSMBCCDmVsc2V3aGVyZS50ZXN0MB0GA1UdDgQWBBTHfR0Nhqzv8fznDMCJDzGt
            6bLJKDAfBgNVHSMEGDAWgBRsPw9zCt19KGW7qDU0Ptdv96jeTDAKBggqhkjOPQQD
            AgNIADBFAiBaZrln6QLyYCpDZxp9Ji98fcbokiIUZK7yAU6zK+ENfgIhAPyH/Ana
            nbeEHvm4xCvqx2gaX6fi9ZTS6bL1pZfkrzqP
            -----END CERTIFICATE-----
            """
        case .client:
            """
            -----BEGIN CERTIFICATE-----
            MIIBLzCB1gIUHnI6zAh8nOmgV28DCawEzSFP0vAwCgYIKoZIzj0EAwIwIjEgMB4G
            A1UEAwwXZXhwb3J0ZXIgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI5MTUwMTU3WhgP
            MjEyNjExMDUxNTAxNTdaMBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEG
            CCqGSM49AwEHA0IABIEAWwL/MAUYtIxsKzTJ/OkObXWwgSv5sfqeZMLYeBFlUWIi
            Nkoe76MzL4nymbTkU65pd9qBsNQmwiUZAlt189gwCgYIKoZIzj0EAwIDSAAwRQIh
            AOq+DcGJXnC4+nklCM0dneDwECV+PvJKTBFV/jGTIPgjAiATPGjdF9u8pNOKFOVi
            Y3Iv/ILSzEKjFHN3kzFR0vhY4A==
            -----END CERTIFICATE-----
            """
        }
    }

    var key: String {
        switch self {
        case .authority:
            """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg10nDrlmXV1bX6FOR
            F+LuhkPmZDJOW8rQU1E5CxQEioyhRANCAATj7f0aCEeQAm/5y3BoGfO47mFt47xo
            GbE0jIR+svk9Ok2Lq7eq5S+ALpHaS7wR/E3F0uj3I2TqD/O1EdN3bT28
            -----END PRIVATE KEY-----
            """
        case .server:
            """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3TdOX5ql94YbiTnk
            /gVrVS8TiTOUZnDRaN8+DbZiN1ChRANCAARsQcPGNBhe+vzBqzTOc6yAREnyJ3Q2
            0rGiUEj0jVpryKrStywU6qbhf4KWAAlqXFmkejdS2i19STEQGKE6qtTa
            -----END PRIVATE KEY-----
            """
        case .elsewhere:
            """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCAg0a1/Db14XeHYG
            mSZWQxFMWRiv+IdqYA1Cqe2WZ2OhRANCAAQI9uXfz799aItiWTNJJRO9tqH0p0Wh
            zSLINQ45wmjKJfRboAuFYXgQFkjCBxsTGvP8N1vp74CLo/iUyjrzGJDX
            -----END PRIVATE KEY-----
            """
        case .client:
            """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmDfHiAjxqA/+GQ/7
            dlSJykaJqxa17SHLJ338lVlisQChRANCAASBAFsC/zAFGLSMbCs0yfzpDm11sIEr
            +bH6nmTC2HgRZVFiIjZKHu+jMy+J8pm05FOuaXfagbDUJsIlGQJbdfPY
            -----END PRIVATE KEY-----
            """
        }
    }
}
