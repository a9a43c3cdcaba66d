//! The table on a real PostgreSQL server, which the tests start themselves; or that of `DOXA_TEST_POSTGRES`.

mod crash;
mod open;
mod suites;

use std::error::Error;
use std::sync::Arc;

use doxa_ports::clock::{Clock, SystemClock};
use doxa_ports::secrets::Secret;
use doxa_postgres::{Address, Limits, OpenError, PostgresTable};

/// Few connections each, for there are many tables at a time.
const LIMITS: Limits = Limits { connections: 4, ..Limits::DEFAULT };

async fn open(address: &str, clock: Arc<dyn Clock>) -> Result<PostgresTable, OpenError> {
    open_within(address, LIMITS, clock).await
}

async fn open_within(
    address: &str,
    limits: Limits,
    clock: Arc<dyn Clock>,
) -> Result<PostgresTable, OpenError> {
    let address = Address::parse(&Secret::new(address)).expect("the testkit gives addresses");
    PostgresTable::open(address, limits, clock).await
}

fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// An error and all of its causes.
fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}
