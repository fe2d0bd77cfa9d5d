//! Arguments of `maze completions`.

use clap::Args;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
bash: maze completions bash > ~/.local/share/bash-completion/completions/maze
zsh:  maze completions zsh > a folder of $fpath/_maze
fish: maze completions fish > ~/.config/fish/completions/maze.fish")]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
