//! The program in the packages: without symbols, and what it needs of the system that runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::printed;

/// A version of a library's interface: `2.34`.
pub type Version = Vec<u32>;

/// The program, and what it needs.
pub struct Program {
    /// The file, stripped.
    pub bytes: Vec<u8>,
    /// The processor.
    pub arch: Arch,
    /// The newest interface of each library that it uses.
    pub libraries: BTreeMap<String, Version>,
}

/// A processor, by its names in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl Arch {
    /// As the kernel, Rust and Python say.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// As Debian says.
    pub fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// As Node says.
    pub fn node(self) -> &'static str {
        match self {
            Self::X86_64 => "x64",
            Self::Aarch64 => "arm64",
        }
    }
}

impl Program {
    /// Reads a program and strips it. binutils is there wherever Rust links.
    ///
    /// # Errors
    /// When it is no dynamic program for Linux on a processor that is packaged.
    pub fn read(file: &Path) -> Result<Self> {
        let needs =
            printed(Command::new("objdump").arg("-p").arg(file)).context("objdump (Debian's package binutils)")?;
        let arch = match needs.split("file format ").nth(1).and_then(|rest| rest.lines().next()) {
            Some("elf64-x86-64") => Arch::X86_64,
            Some("elf64-littleaarch64") => Arch::Aarch64,
            other => bail!(
                "{} is a program of form {}; packages are made for Linux on x86-64 and arm64",
                file.display(),
                other.unwrap_or("unknown")
            ),
        };
        let folder = tempfile::tempdir()?;
        let stripped = folder.path().join("toolgate");
        printed(Command::new("strip").args(["--strip-all", "-o"]).arg(&stripped).arg(file))
            .context("strip (Debian's package binutils)")?;
        Ok(Self { bytes: fs::read(&stripped)?, arch, libraries: libraries(&needs)? })
    }

    /// The glibc that it needs: the newest version that is asked of any of glibc's libraries.
    ///
    /// # Errors
    /// When it uses none: packages promise one.
    pub fn glibc(&self) -> Result<&Version> {
        let own = self.libraries.iter().filter(|(name, _)| of_glibc(name)).map(|(_, version)| version);
        own.max()
            .filter(|version| !version.is_empty())
            .context("the program does not use glibc; packages are made for it")
    }

    /// `x86_64-unknown-linux-gnu`.
    pub fn target(&self) -> String {
        format!("{}-unknown-linux-gnu", self.arch.name())
    }
}

/// Whether a library comes with glibc.
pub fn of_glibc(library: &str) -> bool {
    let names = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"];
    names.contains(&library) || library.starts_with("ld-linux-")
}

/// The libraries that `objdump -p` names, each with the newest version that is asked of it.
fn libraries(needs: &str) -> Result<BTreeMap<String, Version>> {
    let needed: BTreeSet<&str> =
        needs.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(str::trim).collect();
    let mut libraries: BTreeMap<String, Version> =
        needed.iter().map(|name| ((*name).to_owned(), Version::new())).collect();
    let references = needs.split("Version References:").nth(1).unwrap_or_default();
    let mut library = None;
    for line in references.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("required from ") {
            library = libraries.get_mut(name.trim_end_matches(':'));
        } else if let (Some(newest), Some((_, version))) = (&mut library, line.rsplit_once('_')) {
            let version: Result<Version, _> = version.split('.').map(str::parse).collect();
            // GLIBC_ABI_DT_RELR and its like are of a glibc that some other name in the list asks for as well.
            if let Ok(version) = version {
                **newest = version.max(newest.clone());
            }
        }
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDS: &str = "\
toolgate:     file format elf64-x86-64

Dynamic Section:
  NEEDED               libgcc_s.so.1
  NEEDED               libm.so.6
  NEEDED               libc.so.6

Version References:
  required from libc.so.6:
    0x09691a75 0x00 07 GLIBC_2.2.5
    0x069691b4 0x00 05 GLIBC_2.34
    0x0d696919 0x00 05 GLIBC_2.9
    0x0fd0e42  0x00 05 GLIBC_ABI_DT_RELR
  required from libgcc_s.so.1:
    0x0b792650 0x00 04 GCC_3.0
    0x09265f60 0x00 02 GCC_4.2.0
";

    #[test]
    fn the_newest_version_of_each_library_is_found() {
        let libraries = libraries(NEEDS).unwrap();
        assert_eq!(libraries["libc.so.6"], [2, 34]);
        assert_eq!(libraries["libgcc_s.so.1"], [4, 2, 0]);
        assert_eq!(libraries["libm.so.6"], Version::new());
    }
}
