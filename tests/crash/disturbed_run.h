// A small run of the real program, disturbed, and what must be true of it afterwards.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/app/program.h"

namespace surprisal {

// Whether everything is to be tried, as script/soak does, or what takes seconds: SURPRISAL_CRASH=thorough.
bool thorough();

// A call that changes files, as the shim (shim.cc) counts them.
struct Call {
  long number = 0;
  std::string name;  // open, write, fsync, truncate, rename, unlink, rmdir, symlink, link, mkdir
  std::size_t bytes = 0;
  std::string paths;
};

// What the shim does at a call; without an action it only counts.
struct Disturbance {
  std::string action;
  long at = 0;
  bool always = false;       // not at this call alone, but at all from it on
  bool no_exchange = false;  // the file system cannot exchange two directories
};

// An objective's runs, each in a directory of its own together with its cache of tokens: NAME/run. 12 steps,
// saved every 3 and evaluated every 4, of which the last two checkpoints and the best one stay.
class DisturbedRuns {
 public:
  // `more`: options of every run.
  explicit DisturbedRuns(const std::string& objective, std::vector<std::string> more = {});

  const Workplace& place() const { return place_; }
  std::filesystem::path run(const std::string& name) const { return place_ / name / "run"; }

  Outcome train(const std::string& name, const std::vector<std::string>& arguments = {},
                const std::vector<std::string>& variables = {}) const;
  Outcome disturb(const std::string& name, const Disturbance& disturbance,
                  const std::vector<std::string>& arguments = {}) const;
  // The environment in which the program is disturbed.
  std::vector<std::string> shimmed(const std::string& name, const Disturbance& disturbance = {}) const;
  std::vector<std::string> arguments(const std::string& name,
                                     const std::vector<std::string>& more = {}) const;

  // What the last process that was run there with the shim called; "whole" is a run that nothing disturbed.
  std::vector<Call> calls(const std::string& name = "whole") const;
  // A run becomes another's copy, or is gone.
  void copy(const std::string& from, const std::string& to) const;
  void remove(const std::string& name) const;

  // What a run left when it was ended: a whole checkpoint, if `latest` was there once.
  void expect_checkpoint(const std::string& name) const;
  // Resumes, and expects that nothing is lost.
  void expect_recovers(const std::string& name) const;
  // Weights, optimizer, metrics and samples at the end are as in the undisturbed run, whatever was saved on
  // the way.
  void expect_ends_alike(const std::string& name) const;
  // Every byte that does not tell time is as in the undisturbed run, and nothing else is there.
  void expect_as_undisturbed(const std::string& name) const;

 private:
  std::filesystem::path log(const std::string& name) const { return place_ / (name + ".log"); }

  Workplace place_;
  std::vector<std::string> more_;
};

// Of calls, those of the save of `step` with its rotation. Saves must not go on beside steps.
std::vector<Call> calls_of_save(const std::vector<Call>& calls, int step);

// Of writes in a row to one file, the first and the last.
std::vector<Call> without_repeats(const std::vector<Call>& calls);

// `count` of them, spread evenly.
std::vector<Call> some_of(const std::vector<Call>& calls, std::size_t count);

}  // namespace surprisal
