#include "train/memory_error.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/machine.h"
#include "train/sizing.h"

namespace surprisal {
namespace {

// What the program holds is what it has.
std::size_t memory_there_is() {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, describe_machine().memory_available)) +
         program_memory();
}

std::string mebibytes(std::size_t bytes) {
  return fmt::format("{} MiB", (bytes + (std::size_t{1} << 20) - 1) >> 20);
}

std::string by_kind(const RunPlan& plan) {
  std::string text;
  for (const MemoryUse& use : plan.memory) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", use.kind, mebibytes(use.bytes));
  }
  return text;
}

// Keys with which the run and the program stay within `memory`, those first that change least of the run.
std::string keys_that_fit(Configuration configuration, const RunSetup& setup, std::size_t memory) {
  memory -= std::min(memory, program_memory());
  if (auto tokens = largest_micro_batch(configuration, setup, memory)) {
    return fmt::format("--train.micro_batch_tokens {} fits", *tokens);
  }
  configuration.train.save_in_background = false;
  if (auto tokens = largest_micro_batch(configuration, setup, memory)) {
    return fmt::format("--train.save_in_background false --train.micro_batch_tokens {} fits", *tokens);
  }
  return "no train.micro_batch_tokens fits: a smaller model, a shorter data.sequence_length, or a larger "
         "machine would";
}

}  // namespace

Error memory_error(const std::string& what, const Configuration& configuration, const RunSetup& setup,
                   const RunPlan& plan) {
  const std::size_t there_is = memory_there_is();
  // A run that should have fitted did not, so that what is advised must need less than it.
  const std::size_t memory = std::min(there_is, plan.memory_total - 1);
  return Error(ErrorKind::memory,
               {.what = what,
                .found = fmt::format("a run of {} ({})", mebibytes(plan.memory_total), by_kind(plan)),
                .expected = fmt::format("at most {}", mebibytes(there_is)),
                .fix = keys_that_fit(configuration, setup, memory)});
}

void require_memory(const Configuration& configuration, const RunSetup& setup, const RunPlan& plan) {
  if (plan.memory_total <= memory_there_is()) return;
  throw memory_error("the run needs more memory than there is", configuration, setup, plan);
}

}  // namespace surprisal
