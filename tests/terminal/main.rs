//! The playground without a terminal: frames as snapshots, scenarios from files, bad conditions.

mod alarms;
mod case;
mod chat;
mod distinct;
mod earlier;
mod find;
mod frame;
mod frames;
mod hostile;
mod kept;
mod kinds;
mod large;
mod late;
mod look;
mod overlays;
mod places;
mod playground;
mod scenarios;
mod states;
mod steps;
mod storm;
mod travel;
