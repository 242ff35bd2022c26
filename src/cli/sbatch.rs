//! `xmod sbatch`: definitions.

use clap::Args;

use crate::catalog::{Group, Job, Order, command_line};
use crate::command::Outcome;
use crate::command::sbatch::{self, Check, Fate};
use crate::diag::{Diagnostic, Kind};
use crate::session::Session;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The modules to load, in this order, separated by blanks or commas
    #[arg(long, short = 'm', num_args = 1.., value_delimiter = ',', visible_alias = "module")]
    modules: Vec<String>,
    /// The name of the job
    #[arg(long, short = 'J', default_value = "")]
    job_name: String,
    /// The tasks of an array of jobs: 0-15, 1,3,5, 0-99%4 (four at a time)
    #[arg(long, short = 'a', default_value = "")]
    array: String,
    /// The file for standard output; %x is the name of the job, %j its number, %a that of the task in an array
    #[arg(long, short, default_value = "")]
    output: String,
    /// The file for standard error
    #[arg(long, short, default_value = "")]
    error: String,
    /// The partition
    #[arg(long, short, default_value = "")]
    partition: String,
    /// Who pays
    #[arg(long, short = 'A', default_value = "")]
    account: String,
    /// How many nodes: 2, or 2-4
    #[arg(long, short = 'N', default_value = "")]
    nodes: String,
    /// How many tasks
    #[arg(long, short = 'n', default_value = "")]
    ntasks: String,
    /// How many cores a task
    #[arg(long, short, default_value = "")]
    cpus_per_task: String,
    /// GPUs of the job: 2, a100:4
    #[arg(long, short = 'G', default_value = "")]
    gpus: String,
    /// Other resources a node: gpu:2, license:1
    #[arg(long, default_value = "")]
    gres: String,
    /// Memory a node: 500M, 16G
    #[arg(long, default_value = "")]
    mem: String,
    /// The time limit: 90 (minutes), 2:30:00, 1-12:00:00
    #[arg(long, short, default_value = "")]
    time: String,
    /// What e-mail is sent for: BEGIN, END, FAIL, ..., separated by commas
    #[arg(long, value_delimiter = ',')]
    mail_type: Vec<String>,
    /// Who gets the e-mail
    #[arg(long, default_value = "")]
    mail_user: String,
    /// Lines of bash that belong together, `sequence` or `parallel` in front: --group parallel './a 1' './a 2'
    #[arg(long, num_args = 2..)]
    group: Vec<String>,
    /// Submit the job instead of printing the script
    #[arg(long)]
    submit: bool,
    /// Ask Slurm whether it would take the job, and when it would run
    #[arg(long, conflicts_with = "submit")]
    test_only: bool,
    /// Do not look whether the modules can be loaded
    #[arg(long)]
    no_check: bool,
    /// A command with its arguments; it is run after the groups
    #[arg(last = true)]
    command: Vec<String>,
}

impl Options {
    fn job(&self) -> Result<Job, Diagnostic> {
        let mut groups: Vec<Group> = Vec::new();
        for word in &self.group {
            let order = match word.as_str() {
                "sequence" => Some(Order::Sequence),
                "parallel" => Some(Order::Parallel),
                _ => None,
            };
            match (order, groups.last_mut()) {
                (Some(order), _) => groups.push(Group {
                    order,
                    commands: Vec::new(),
                }),
                (None, Some(group)) => group.commands.push(word.clone()),
                (None, None) => {
                    let message =
                        format!("a group begins with `sequence` or `parallel`, not with `{word}`");
                    return Err(Diagnostic::new(Kind::Usage, message)
                        .help("xmod sbatch --group parallel './a 1' './a 2'"));
                }
            }
        }
        if !self.command.is_empty() {
            groups.push(Group {
                order: Order::Sequence,
                commands: vec![command_line(&self.command)],
            });
        }
        let modules = self
            .modules
            .iter()
            .flat_map(|words| words.split_whitespace());
        Ok(Job {
            name: self.job_name.clone(),
            array: self.array.clone(),
            output: self.output.clone(),
            error: self.error.clone(),
            partition: self.partition.clone(),
            account: self.account.clone(),
            nodes: self.nodes.clone(),
            tasks: self.ntasks.clone(),
            cpus: self.cpus_per_task.clone(),
            gpus: self.gpus.clone(),
            gres: self.gres.clone(),
            mem: self.mem.clone(),
            time: self.time.clone(),
            mail_events: self
                .mail_type
                .iter()
                .map(|event| event.to_uppercase())
                .collect(),
            mail_user: self.mail_user.clone(),
            modules: modules.map(str::to_owned).collect(),
            groups,
        })
    }
}

pub(super) fn run(session: &Session, options: &Options) -> Result<Outcome, Diagnostic> {
    let fate = match (options.submit, options.test_only) {
        (true, _) => Fate::Submit,
        (_, true) => Fate::Ask,
        _ => Fate::Print,
    };
    let check = if options.no_check {
        Check::Nothing
    } else {
        Check::Modules
    };
    sbatch::run(session, &options.job()?, fate, check)
}
