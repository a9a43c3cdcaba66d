//! The sockets: what Doxa needs of the world, and nothing else about it.
//!
//! | port | what it is | plugs |
//! |---|---|---|
//! | [`table`] | small items under conditions, many in one transaction | memory, SQLite, PostgreSQL |
//! | [`lake`] | columnar tables by window, seen only once committed | memory, files, any object store |
//! | [`queue`] | messages, each handled once; built on `table`, so equal everywhere | any table |
//! | [`notify`] | a word to a person | memory, log, SMTP, webhook |
//! | [`clock`] | what time it is, and waiting | system, simulated |
//! | [`secrets`] | what a reference such as `env:NAME` stands for | memory, environment and files |
//!
//! Each port says, method by method, what is true after a crash; has a twin in memory, which the tests of everything
//! above use; and, where backends can differ, a conformance suite (feature `suite`) that each of them runs.

pub mod clock;
pub mod lake;
pub mod notify;
pub mod queue;
pub mod secrets;
pub mod table;
