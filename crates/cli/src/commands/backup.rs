//! `toolgate backup` and `toolgate restore`: what an instance keeps, as a file.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use control::Instance;
use store::DataDir;
use store::control::backup::{Backup, BadBackup};
use store::control::{ControlDatabase, Place};

use crate::args::{BackupOptions, RestoreOptions};
use crate::environment::{data_dir, existing_data};
use crate::failure::{Failure, Trying};
use crate::instance;
use crate::output::{say, tell};

/// Writes a backup.
pub fn backup(options: &BackupOptions) -> Result<ExitCode, Failure> {
    let place = match instance::elsewhere(options.database.as_deref())? {
        Some(place) => place,
        None => {
            let data = existing_data(options.data.dir.as_deref())?;
            if !ControlDatabase::file(&data).exists() {
                let text =
                    "no instance keeps its tables there: `toolgate serve` without --policy and --config makes one";
                return Err(Failure::Usage(format!("{}: {text}", data.path().display())));
            }
            Place::Embedded(data)
        }
    };
    // What is half written has another name, and is never taken for a backup.
    let name = options.file.display().to_string();
    if options.file.exists() {
        return Err(Failure::Usage(format!("{name} is there already and was not overwritten: give another name")));
    }
    let mut draft = options.file.clone().into_os_string();
    draft.push(".part");
    let draft = Path::new(&draft);
    let written = write(&place, draft).and_then(|rows| {
        std::fs::hard_link(draft, &options.file).trying(&name)?;
        Ok(rows)
    });
    let _ = std::fs::remove_file(draft);
    let rows = written?;
    say!("{name}: {rows} rows")?;
    tell!(
        "toolgate: secrets are in it as they are stored, encrypted: keep the master keys too, and elsewhere. The audit log and the counts of limits are files of each replica's data directory, and not in it"
    );
    Ok(ExitCode::SUCCESS)
}

fn write(place: &Place, path: &Path) -> Result<u64, Failure> {
    // Hashes of passwords and tokens are nobody else's business.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = BufWriter::new(file.trying(path.display())?);
    let backup = async {
        let database = ControlDatabase::open(place).await?;
        let rows = database.back_up(&mut file).await;
        database.close().await;
        rows
    };
    let rows = runtime()?.block_on(backup).map_err(|error: BadBackup| Failure::Usage(error.to_string()))?;
    let on_disk = |file: BufWriter<File>| file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all();
    file.flush().and_then(|()| on_disk(file)).trying(path.display())?;
    Ok(rows)
}

/// Restores one.
pub fn restore(options: &RestoreOptions) -> Result<ExitCode, Failure> {
    let name = options.file.display().to_string();
    let backup = Backup::open(&options.file).trying(&name)?;
    let path = data_dir(options.data.dir.as_deref())?;
    let data = DataDir::open(&path).trying(format!("the data directory {}", path.display()))?;
    let place = instance::place(options.tables.database.as_deref(), data.clone())?;
    let keys = instance::known_keys(&options.tables, &place, &data)?;
    let restored = async {
        let ring = keys
            .load()
            .await
            .map_err(|error| Failure::Usage(format!("{error} (--keys FILE names it; a backup holds no keys)")))?;
        Instance::fits(&backup, ring).trying(&name)?;
        backup.restore(&place).await.trying(&name)
    };
    let rows = runtime()?.block_on(restored)?;
    let (version, at) = backup.made();
    let at = jiff::Timestamp::from_millisecond(at).map_or_else(|_| "an unknown time".to_owned(), |at| at.to_string());
    say!("{rows} rows of {name}, made at {at} by Toolgate {version}")?;
    tell!(
        "toolgate: nobody is signed in. Grants work as before; those that were made, revoked or rotated after the backup are as they were then: look through them"
    );
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().trying("the runtime")
}
