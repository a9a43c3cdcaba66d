//! The table on PostgreSQL.
