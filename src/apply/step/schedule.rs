use async_trait::async_trait;
use camino::Utf8PathBuf;

use crate::{
    apply::{
        error::StepError,
        files,
        journal::Facts,
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    plan::WriteFile,
};

/// Writes the refresh job into the estate as a new file.
pub(super) struct ScheduleStep<'p>(pub(super) &'p WriteFile);

#[async_trait]
impl StepKind for ScheduleStep<'_> {
    fn describe(&self) -> Vec<String> {
        vec![format!("write the refresh job `{}`", self.0.file)]
    }

    fn untried(&self) -> Option<&'static str> {
        Some("whether the file can be written")
    }

    async fn probe(&self, here: &Here<'_>) -> Result<Standing, StepError> {
        match self.found(here)? {
            None => Ok(Standing::Before),
            Some(bytes) if bytes == self.0.content.as_bytes() => {
                Ok(Standing::After(Facts::said(format!("`{}` is there", self.0.file))))
            }
            Some(_) => Ok(Standing::Neither {
                because: format!("a file `{}` is there that carve did not write", self.0.file),
                hint: "rename or remove it, then run again".to_owned(),
            }),
        }
    }

    async fn act(&self, here: &Here<'_>, note: &mut Noting<'_>) -> Result<Facts, StepError> {
        let doing = || StepError::io(format!("write `{}`", self.0.file));
        let path = self.path(here)?;
        let folder = path.parent().unwrap_or(&path);
        let missing = folder.ancestors().take_while(|folder| !folder.exists());
        let root = &here.context.world.root;
        let folders = missing.filter_map(|made| made.strip_prefix(root).ok()).map(Utf8PathBuf::from).collect();
        // Noted before they are made: a rollback removes those that are empty.
        note(Facts { folders, ..Facts::default() })?;
        files::make_folders(folder).map_err(doing())?;
        files::create_new(&path, self.0.content.as_bytes()).map_err(doing())?;
        Ok(Facts::said(format!("wrote `{}`", self.0.file)))
    }

    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError> {
        let path = self.path(here)?;
        let Some(bytes) = self.found(here)? else {
            return Ok(Facts::said(format!("`{}` is not there", self.0.file)));
        };
        if bytes != self.0.content.as_bytes() {
            return Err(StepError::Undecided {
                because: format!("`{}` was changed after carve wrote it", self.0.file),
                hint: "remove it by hand if nobody needs it, then run the rollback again".to_owned(),
            });
        }
        std::fs::remove_file(&path).map_err(StepError::io(format!("remove `{}`", self.0.file)))?;
        files::sweep(&path);
        for folder in here.facts().folders {
            // One that others use by now is not empty, and stays.
            let _ = std::fs::remove_dir(here.context.world.root.join(folder));
        }
        Ok(Facts::said(format!("`{}` is gone", self.0.file)))
    }
}

impl ScheduleStep<'_> {
    fn path(&self, here: &Here<'_>) -> Result<Utf8PathBuf, StepError> {
        here.context.world.estate_file(&self.0.file).map_err(StepError::outside)
    }

    fn found(&self, here: &Here<'_>) -> Result<Option<Vec<u8>>, StepError> {
        files::read(&self.path(here)?).map_err(StepError::io(format!("read `{}`", self.0.file)))
    }
}
