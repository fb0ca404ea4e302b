// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The tables.
enum KnowledgeSchema {
    static let migrations = [
        Migration(
            "001-collections",
            """
            CREATE TABLE {collections} (tenant TEXT NOT NULL, id TEXT NOT NULL, project_id TEXT NOT NULL,
                name TEXT NOT NULL, tags TEXT NOT NULL, released_version_id TEXT, created_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, id), UNIQUE (tenant, project_id, name));
            CREATE INDEX {collections_by_project} ON {collections} (tenant, project_id, id);
            CREATE TABLE {texts} (tenant TEXT NOT NULL, collection_id TEXT NOT NULL, sha256 TEXT NOT NULL,
                body TEXT NOT NULL, headings TEXT NOT NULL, PRIMARY KEY (tenant, collection_id, sha256));
            CREATE TABLE {items} (tenant TEXT NOT NULL, id TEXT NOT NULL, collection_id TEXT NOT NULL,
                name TEXT NOT NULL, format TEXT NOT NULL, title TEXT NOT NULL, sha256 TEXT NOT NULL,
                length BIGINT NOT NULL, revision BIGINT NOT NULL, imported_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, id), UNIQUE (tenant, collection_id, name));
            CREATE INDEX {items_by_text} ON {items} (tenant, collection_id, sha256);
            CREATE TABLE {imports} (tenant TEXT NOT NULL, id TEXT NOT NULL, collection_id TEXT NOT NULL,
                status TEXT NOT NULL, sources BIGINT NOT NULL, created_at BIGINT NOT NULL, finished_at BIGINT,
                PRIMARY KEY (tenant, id));
            CREATE INDEX {imports_by_collection} ON {imports} (tenant, collection_id, id);
            CREATE TABLE {sources} (tenant TEXT NOT NULL, import_id TEXT NOT NULL, place BIGINT NOT NULL,
                name TEXT NOT NULL, format TEXT NOT NULL, content BLOB, result TEXT,
                PRIMARY KEY (tenant, import_id, place));
            """),
        Migration(
            "002-versions",
            """
            CREATE TABLE {versions} (tenant TEXT NOT NULL, id TEXT NOT NULL, collection_id TEXT NOT NULL,
                number BIGINT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL, items BIGINT NOT NULL,
                chunks BIGINT NOT NULL DEFAULT 0, vectors BIGINT NOT NULL DEFAULT 0, chunk_tokens BIGINT NOT NULL,
                overlap_tokens BIGINT NOT NULL, embedder TEXT, dimensions BIGINT NOT NULL DEFAULT 0, failure TEXT,
                rollback_reason TEXT, created_at BIGINT NOT NULL, indexed_at BIGINT, released_at BIGINT,
                rolled_back_at BIGINT, PRIMARY KEY (tenant, id), UNIQUE (tenant, collection_id, number));
            CREATE TABLE {version_items} (tenant TEXT NOT NULL, version_id TEXT NOT NULL, place BIGINT NOT NULL,
                item_id TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, chunked BOOLEAN NOT NULL DEFAULT 0,
                PRIMARY KEY (tenant, version_id, place));
            CREATE TABLE {chunks} (tenant TEXT NOT NULL, id TEXT NOT NULL, version_id TEXT NOT NULL,
                number BIGINT NOT NULL, place BIGINT NOT NULL, item_number BIGINT NOT NULL, begins BIGINT NOT NULL,
                ends BIGINT NOT NULL, headings TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant, id),
                UNIQUE (tenant, version_id, number), UNIQUE (tenant, version_id, place, item_number));
            CREATE TABLE {vectors} (tenant TEXT NOT NULL, version_id TEXT NOT NULL, number BIGINT NOT NULL,
                vector BLOB NOT NULL, PRIMARY KEY (tenant, version_id, number));
            -- global: {engine}
            CREATE TABLE {engine} (name TEXT NOT NULL PRIMARY KEY);
            """),
        // The tokens are ours: letters and digits between spaces. `ascii` leaves all that is not ASCII as it is.
        Migration(
            "003-words-sqlite", engine: "sqlite",
            """
            CREATE VIRTUAL TABLE {words} USING fts5(tenant UNINDEXED, number UNINDEXED, version, body, tokenize = 'ascii');
            INSERT INTO {engine} (name) VALUES ('sqlite');
            """),
        Migration(
            "004-words-postgresql", engine: "postgresql",
            """
            CREATE TABLE {words} (tenant TEXT NOT NULL, version_id TEXT NOT NULL, number BIGINT NOT NULL,
                body TSVECTOR NOT NULL, PRIMARY KEY (tenant, version_id, number));
            CREATE INDEX {words_by_body} ON {words} USING gin (body);
            INSERT INTO {engine} (name) VALUES ('postgresql');
            """),
    ]
}
