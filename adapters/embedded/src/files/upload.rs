//! An upload in parts: each is written and forced to disk while the next is being made.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::FutureExt;
use object_store::{Error, MultipartUpload, PutPayload, PutResult, RenameTargetMode, Result, UploadPart};

use super::{Unsettled, begin_to_settle, blocking, create_staging, done, failed, move_into_place};

/// A file in `staging/` on its way to its name.
#[derive(Debug)]
pub(super) struct FileUpload {
    staging: PathBuf,
    to: PathBuf,
    /// Behind a lock for the position, which the parts share; forcing to disk needs none.
    file: Arc<(File, Mutex<()>)>,
    bytes: u64,
    unsettled: Unsettled,
}

impl FileUpload {
    pub(super) fn create(mut staging: PathBuf, to: PathBuf, unsettled: Unsettled) -> Result<Self> {
        let file = create_staging(&mut staging)?;
        Ok(Self { staging, to, file: Arc::new((file, Mutex::new(()))), bytes: 0, unsettled })
    }
}

fn write_at(file: &(File, Mutex<()>), offset: u64, payload: &PutPayload) -> std::io::Result<()> {
    let (file, position) = file;
    {
        let _mine = position.lock().expect("no code that holds the position can panic");
        let mut file = file;
        file.seek(SeekFrom::Start(offset))?;
        payload.iter().try_for_each(|chunk| file.write_all(chunk))?;
    }
    Ok(())
}

#[async_trait]
impl MultipartUpload for FileUpload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let (offset, file, to) = (self.bytes, self.file.clone(), self.to.clone());
        self.bytes += payload.content_length() as u64;
        let unsettled = self.unsettled.clone();
        let write = async move {
            let again = file.clone();
            let name = to.clone();
            blocking(move || write_at(&again, offset, &payload).map_err(failed("write", &name))).await?;
            let work = move || file.0.sync_data().map_err(failed("force to disk", &to));
            let work = tokio::task::spawn_blocking(work);
            unsettled.lock().expect("no code that holds the list can panic").push(work);
            Ok(())
        };
        write.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (staging, to) = (self.staging.clone(), self.to.clone());
        blocking(move || move_into_place(&staging, &to, RenameTargetMode::Overwrite)).await?;
        let file = self.file.0.try_clone().map_err(failed("open again", &self.to))?;
        begin_to_settle(&self.unsettled, Some(file), self.to.clone());
        Ok(done())
    }

    async fn abort(&mut self) -> Result<()> {
        let staging = self.staging.clone();
        blocking(move || match std::fs::remove_file(&staging) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failed("remove", &staging)(error))
            }
            _ => Ok::<_, Error>(()),
        })
        .await
    }
}
