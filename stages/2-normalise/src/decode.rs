//! Bytes as received into UTF-8: out of gzip or Zstandard, out of UTF-16 or a single-byte encoding, within bounds.

use std::io::{BufReader, Read};

use doxa_schema::{Compression, Reading};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8};

/// What a file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest row, in bytes; a longer one becomes a reject.
    pub row_bytes: usize,
    /// The most that a compressed file may unfold to, in bytes.
    pub unfolded_bytes: u64,
    /// The most that it may unfold to per byte of its own.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { row_bytes: 1 << 20, unfolded_bytes: 64 << 30, ratio: 1000 }
    }
}

/// Why a file cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It unfolds to more than it may.
    #[error(
        "it unfolds to more than {limit} bytes from {compressed} compressed ones, which no file of comments does"
    )]
    Bomb {
        /// What was allowed.
        limit: u64,
        /// How many bytes were read until then.
        compressed: u64,
    },
    /// Reading or unfolding failed: the disk, or a broken archive.
    #[error("it cannot be read to its end")]
    Read(#[source] std::io::Error),
    /// The encoding's name is not known.
    #[error("`{0}` is no encoding that is known; UTF-8, UTF-16LE and windows-1252 are some")]
    Encoding(String),
    /// The zone's name is not known.
    #[error("`{name}` is no time zone that is known; UTC and Europe/Berlin are some")]
    Zone {
        /// The name.
        name: String,
        /// What the zone database says.
        #[source]
        cause: jiff::Error,
    },
    /// A column that the reading names is not in the file.
    #[error("it has no column `{column}`, which was to hold the {field}")]
    Column {
        /// The column.
        column: String,
        /// What it was to hold.
        field: doxa_schema::Field,
    },
    /// The header row cannot be one.
    #[error("its header row is longer than a row may be, or a quote in it is never closed")]
    Header,
    /// There is no header row, because there is no row.
    #[error("it has no row")]
    Empty,
    /// It is no Parquet, or is broken.
    #[error("it cannot be read as Parquet")]
    Parquet(#[source] parquet::errors::ParquetError),
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        // A cap that was passed travels through `Read` as the source of an I/O error.
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::Read(error),
        }
    }
}

/// The characters of a file, as UTF-8; bytes that are none in its encoding come as they are if it is UTF-8, so that the
/// row they stand in can be rejected, and as U+FFFD otherwise.
pub(crate) fn characters<'a>(
    raw: impl Read + Send + 'a,
    reading: &Reading,
    limits: &Limits,
) -> Result<Box<dyn Read + Send + 'a>, FileError> {
    let bytes = unfold(raw, reading.compression, limits)?;
    let encoding = find_encoding(&reading.encoding)?;
    if encoding == UTF_8 {
        Ok(Box::new(SkipBom::new(bytes)))
    } else {
        Ok(Box::new(Transcoder::new(bytes, encoding)))
    }
}

/// The encoding of this name.
pub(crate) fn find_encoding(name: &str) -> Result<&'static Encoding, FileError> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| FileError::Encoding(name.to_owned()))
}

/// The bytes out of their wrapping.
pub(crate) fn unfold<'a>(
    raw: impl Read + Send + 'a,
    compression: Compression,
    limits: &Limits,
) -> Result<Box<dyn Read + Send + 'a>, FileError> {
    let counted = Counted { inner: raw, bytes: std::sync::Arc::default() };
    let compressed = counted.bytes.clone();
    let capped =
        |inner: Box<dyn Read + Send + 'a>| Capped { inner, compressed, unfolded: 0, limits: *limits };
    match compression {
        Compression::None => Ok(Box::new(counted)),
        // Several members, one after another, are one file: `cat a.gz b.gz` makes such ones.
        Compression::Gzip => Ok(Box::new(capped(Box::new(flate2::bufread::MultiGzDecoder::new(
            BufReader::with_capacity(1 << 16, counted),
        ))))),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::new(counted)?;
            // A window of 128 MiB is what `zstd --long` makes; more would be memory on a stranger's word.
            decoder.window_log_max(27)?;
            Ok(Box::new(capped(Box::new(decoder))))
        }
    }
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    bytes: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(count)
    }
}

/// Ends with an error once more has come out than may.
struct Capped<R> {
    inner: R,
    compressed: std::sync::Arc<std::sync::atomic::AtomicU64>,
    unfolded: u64,
    limits: Limits,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        /// Below this, a high ratio is a short file of one repeated line, not a bomb.
        const HARMLESS: u64 = 16 << 20;
        let count = self.inner.read(buffer)?;
        self.unfolded += count as u64;
        let compressed = self.compressed.load(std::sync::atomic::Ordering::Relaxed);
        let limit =
            self.limits.unfolded_bytes.min(self.limits.ratio.saturating_mul(compressed).max(HARMLESS));
        if self.unfolded > limit {
            return Err(std::io::Error::other(FileError::Bomb { limit, compressed }));
        }
        Ok(count)
    }
}

/// Takes the byte order mark off the beginning.
struct SkipBom<R> {
    inner: R,
    begun: bool,
    head: Vec<u8>,
}

impl<R: Read> SkipBom<R> {
    fn new(inner: R) -> Self {
        Self { inner, begun: false, head: Vec::new() }
    }
}

impl<R: Read> Read for SkipBom<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !self.begun {
            self.begun = true;
            (&mut self.inner).take(3).read_to_end(&mut self.head)?;
            if self.head == [0xEF, 0xBB, 0xBF] {
                self.head.clear();
            }
        }
        if self.head.is_empty() {
            return self.inner.read(buffer);
        }
        let count = self.head.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.head[..count]);
        self.head.drain(..count);
        Ok(count)
    }
}

/// Reads another encoding as UTF-8.
struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    from: usize,
    to: usize,
    progress: Progress,
    output: Vec<u8>,
    given: usize,
}

#[derive(PartialEq, Eq)]
enum Progress {
    Reading,
    /// The input is at its end; the decoder may still hold back the beginning of a character.
    Ended,
    /// The decoder has given all it had, and must not be asked again.
    Done,
}

impl<R: Read> Transcoder<R> {
    fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            input: vec![0; 1 << 15],
            from: 0,
            to: 0,
            progress: Progress::Reading,
            output: Vec::new(),
            given: 0,
        }
    }

    /// Decodes the next portion; it is empty at the end.
    fn refill(&mut self) -> std::io::Result<()> {
        self.given = 0;
        self.output.clear();
        while self.output.is_empty() && self.progress != Progress::Done {
            if self.from == self.to && self.progress == Progress::Reading {
                self.to = self.inner.read(&mut self.input)?;
                self.from = 0;
                if self.to == 0 {
                    self.progress = Progress::Ended;
                }
            }
            self.decode();
        }
        Ok(())
    }

    fn decode(&mut self) {
        self.output.resize(1 << 16, 0);
        let last = self.progress == Progress::Ended;
        let source = &self.input[self.from..self.to];
        let (result, read, written, _) = self.decoder.decode_to_utf8(source, &mut self.output, last);
        self.from += read;
        self.output.truncate(written);
        if last && result == CoderResult::InputEmpty {
            self.progress = Progress::Done;
        }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.output.len() {
            self.refill()?;
        }
        let left = &self.output[self.given..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unfolded(bytes: &[u8], compression: Compression, limits: &Limits) -> Result<Vec<u8>, FileError> {
        let mut out = Vec::new();
        unfold(bytes, compression, limits)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn wrappings_come_off() {
        let text = b"id,text\n1,hello\n".as_slice();
        let limits = Limits::default();
        let two_members = [gzip(b"id,text\n"), gzip(b"1,hello\n")].concat();
        assert_eq!(unfolded(text, Compression::None, &limits).unwrap(), text);
        assert_eq!(unfolded(&two_members, Compression::Gzip, &limits).unwrap(), text);
        let zstd = zstd::encode_all(text, 3).unwrap();
        assert_eq!(unfolded(&zstd, Compression::Zstd, &limits).unwrap(), text);
    }

    #[test]
    fn bombs_and_broken_archives_are_refused() {
        let limits = Limits::default();
        let bomb = gzip(&vec![b'a'; 20 << 20]);
        assert!(matches!(unfolded(&bomb, Compression::Gzip, &limits), Err(FileError::Bomb { .. })));
        let small = Limits { unfolded_bytes: 10, ..limits };
        assert!(matches!(
            unfolded(&gzip(b"twelve bytes"), Compression::Gzip, &small),
            Err(FileError::Bomb { .. })
        ));
        let whole = gzip(b"id,text\n1,hello\n");
        let torn = &whole[..whole.len() - 4];
        assert!(matches!(unfolded(torn, Compression::Gzip, &limits), Err(FileError::Read(_))));
        let mut flipped = whole.clone();
        let last = flipped.len() - 6;
        flipped[last] ^= 1;
        assert!(matches!(unfolded(&flipped, Compression::Gzip, &limits), Err(FileError::Read(_))));
        assert!(matches!(unfolded(b"no zstd", Compression::Zstd, &limits), Err(FileError::Read(_))));
    }

    #[test]
    fn encodings_become_utf8() {
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("grün 🥰".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let long = "é".repeat(100_000);
        let latin: Vec<u8> = long.chars().map(|_| 0xE9).collect();
        let rows: [(&[u8], &str, &str); 6] = [
            ("\u{feff}grün".as_bytes(), "UTF-8", "grün"),
            ("grün".as_bytes(), "UTF-8", "grün"),
            (b"ab", "UTF-8", "ab"),
            (&utf16, "UTF-16LE", "grün 🥰"),
            (b"gr\xfcn", "windows-1252", "grün"),
            (&latin, "windows-1252", &long),
        ];
        for (bytes, encoding, wanted) in rows {
            let mut text = String::new();
            let encoding = find_encoding(encoding).unwrap();
            if encoding == UTF_8 {
                SkipBom::new(bytes).read_to_string(&mut text).unwrap();
            } else {
                Transcoder::new(bytes, encoding).read_to_string(&mut text).unwrap();
            }
            assert_eq!(text, wanted, "{}", encoding.name());
        }
    }
}
