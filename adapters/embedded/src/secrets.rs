//! Secrets that lie on this machine: in an environment variable, or in a file of their own.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use async_trait::async_trait;
use doxa_ports::secrets::{Error, Secret, SecretRef, Secrets};

/// The largest file that is taken for one of a secret.
const MAX_BYTES: u64 = 64 * 1024;

/// Follows `env:` and `file:` references.
///
/// Of a file the first line is the secret, without its end, as most editors and `echo` write it. A file that everybody
/// on the machine can read is taken, with a warning: in a container it often cannot be otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalSecrets;

/// Why what lies under a reference is no secret. None of it is ever repeated.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("it is empty")]
    Empty,
    #[error("it is no text in UTF-8")]
    NotUtf8,
    #[error("it is no regular file")]
    NotAFile,
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
}

#[async_trait]
impl Secrets for LocalSecrets {
    async fn resolve(&self, reference: &SecretRef) -> Result<Secret, Error> {
        match reference {
            SecretRef::Env(name) => from_variable(reference, std::env::var_os(name)),
            SecretRef::File(path) => {
                let (path, of) = (path.clone(), reference.clone());
                let read = tokio::task::spawn_blocking(move || from_file(&of, Path::new(&path)));
                read.await.expect("reading a file does not panic, and nobody aborts it")
            }
            SecretRef::AwsSecretsManager(_) => Err(Error::Unsupported(reference.clone())),
        }
    }
}

fn from_variable(reference: &SecretRef, value: Option<OsString>) -> Result<Secret, Error> {
    let value = value.ok_or_else(|| Error::NotFound(reference.clone()))?;
    // The variable itself, in the error, would be the secret.
    let text = value.into_string().map_err(|_| unreadable(reference, Unfit::NotUtf8))?;
    filled(reference, &text)
}

fn from_file(reference: &SecretRef, path: &Path) -> Result<Secret, Error> {
    let failed = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound(reference.clone()),
        _ => unreadable(reference, cause),
    };
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(unreadable(reference, Unfit::NotAFile));
    }
    let file = File::open(path).map_err(failed)?;
    warn_if_open_to_all(reference, &file);
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable(reference, Unfit::TooLarge));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable(reference, Unfit::NotUtf8))?;
    filled(reference, text.lines().next().unwrap_or_default())
}

fn filled(reference: &SecretRef, text: &str) -> Result<Secret, Error> {
    if text.is_empty() { Err(unreadable(reference, Unfit::Empty)) } else { Ok(Secret::new(text)) }
}

fn unreadable(reference: &SecretRef, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Unreadable { reference: reference.clone(), cause: cause.into() }
}

#[cfg(unix)]
fn warn_if_open_to_all(reference: &SecretRef, file: &File) {
    use std::os::unix::fs::PermissionsExt;

    if file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
        tracing::warn!(%reference, "everybody on this machine can read this secret; `chmod o-r` takes that away");
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_all(_: &SecretRef, _: &File) {}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn told(resolved: Result<Secret, Error>) -> String {
        match resolved {
            Ok(secret) => secret.expose().to_owned(),
            Err(error) => match error.source() {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            },
        }
    }

    #[tokio::test]
    async fn a_file_is_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let most = "s".repeat(64 * 1024);
        let rows: [(&str, &[u8], &str); 9] = [
            ("plain", b"hunter2", "hunter2"),
            ("echo", b"hunter2\n", "hunter2"),
            ("windows", b"hunter2\r\n", "hunter2"),
            ("lines", b"hunter2\nwritten down by Ana\n", "hunter2"),
            ("spaces", b" hunter 2 \n", " hunter 2 "),
            ("most", most.as_bytes(), &most),
            ("empty", b"", "cannot read the secret at `FILE`: it is empty"),
            ("below", b"\nhunter2\n", "cannot read the secret at `FILE`: it is empty"),
            ("latin-1", b"hunter\xff\n", "cannot read the secret at `FILE`: it is no text in UTF-8"),
        ];
        for (name, bytes, wanted) in rows {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let reference: SecretRef = format!("file:{}", path.display()).parse().unwrap();
            let got = told(LocalSecrets.resolve(&reference).await);
            assert_eq!(got.replace(&reference.to_string(), "FILE"), wanted, "{name}");
        }
    }

    #[tokio::test]
    async fn what_is_no_file_of_a_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("large"), "s".repeat(64 * 1024 + 1)).unwrap();
        let rows = [
            ("large", "cannot read the secret at `FILE`: it is larger than 65536 bytes"),
            (".", "cannot read the secret at `FILE`: it is no regular file"),
            ("absent", "there is no secret at `FILE`"),
            ("large/absent", "cannot read the secret at `FILE`: Not a directory (os error 20)"),
        ];
        for (name, wanted) in rows {
            let reference: SecretRef =
                format!("file:{}", folder.path().join(name).display()).parse().unwrap();
            let got = told(LocalSecrets.resolve(&reference).await);
            assert_eq!(got.replace(&reference.to_string(), "FILE"), wanted, "{name}");
        }
    }

    #[tokio::test]
    async fn a_variable_is_taken_whole() {
        let reference: SecretRef = "env:DOXA_TEST_SECRET".parse().unwrap();
        let rows = [
            (Some("hunter2".into()), "hunter2"),
            (Some("two\nlines".into()), "two\nlines"),
            (Some("".into()), "cannot read the secret at `env:DOXA_TEST_SECRET`: it is empty"),
            (None, "there is no secret at `env:DOXA_TEST_SECRET`"),
        ];
        for (value, wanted) in rows {
            assert_eq!(told(from_variable(&reference, value)), wanted);
        }
        // Cargo sets this one for every test.
        let set = "env:CARGO_PKG_NAME".parse().unwrap();
        assert_eq!(told(LocalSecrets.resolve(&set).await), env!("CARGO_PKG_NAME"));
        assert_eq!(
            told(LocalSecrets.resolve(&reference).await),
            "there is no secret at `env:DOXA_TEST_SECRET`"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_not_repeated() {
        use std::os::unix::ffi::OsStringExt;

        let reference = "env:TOKEN".parse().unwrap();
        let error = from_variable(&reference, Some(OsString::from_vec(b"hunter2\xff".to_vec()))).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(told(Err(error)), "cannot read the secret at `env:TOKEN`: it is no text in UTF-8");
    }

    #[tokio::test]
    async fn another_store_is_not_here() {
        let reference = "aws-sm:reddit".parse().unwrap();
        let wanted = "`aws-sm:reddit` cannot be followed here: this installation has no such secret store";
        assert_eq!(told(LocalSecrets.resolve(&reference).await), wanted);
    }
}
