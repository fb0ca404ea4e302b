// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The tables. A row refers to a file by its digest; several may refer to one.
enum BlobSchema {
    static let migrations = [
        Migration(
            "001-blobs",
            """
            CREATE TABLE {blobs} (
                tenant TEXT NOT NULL,
                owner TEXT NOT NULL,
                blob_key TEXT NOT NULL,
                digest TEXT NOT NULL,
                size BIGINT NOT NULL,
                content_type TEXT NOT NULL,
                metadata TEXT NOT NULL,
                modified_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, owner, blob_key)
            );
            CREATE INDEX {blobs_by_digest} ON {blobs} (digest);
            CREATE TABLE {uploads} (
                tenant TEXT NOT NULL,
                owner TEXT NOT NULL,
                id TEXT NOT NULL,
                blob_key TEXT NOT NULL,
                content_type TEXT NOT NULL,
                metadata TEXT NOT NULL,
                if_absent BIGINT NOT NULL,
                if_match TEXT NOT NULL,
                size BIGINT NOT NULL,
                sha256 TEXT NOT NULL,
                expires_at BIGINT NOT NULL,
                digest TEXT NOT NULL,
                completed_at BIGINT NOT NULL,
                PRIMARY KEY (id)
            );
            CREATE INDEX {uploads_by_expiry} ON {uploads} (expires_at);
            CREATE TABLE {parts} (
                tenant TEXT NOT NULL,
                upload_id TEXT NOT NULL,
                number BIGINT NOT NULL,
                digest TEXT NOT NULL,
                size BIGINT NOT NULL,
                PRIMARY KEY (upload_id, number)
            );
            CREATE INDEX {parts_by_digest} ON {parts} (digest);
            CREATE TABLE {usage} (
                tenant TEXT NOT NULL,
                owner TEXT NOT NULL,
                bytes BIGINT NOT NULL,
                PRIMARY KEY (tenant, owner)
            );
            """)
    ]
}
