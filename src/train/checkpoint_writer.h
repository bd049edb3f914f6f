// Checkpoints written beside the next steps: a save copies the state and returns.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "core/arena.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"

namespace surprisal {

class CheckpointWriter {
 public:
  // Everything named must outlive it. Not in the background: no copy is held, and save() returns when all is
  // on disk.
  CheckpointWriter(const RunDirectory& directory, const Transformer& model, Optimizer& optimizer,
                   const Tokenizer& tokenizer, const TrainOptions& options, const CheckpointAdapter& adapter);
  ~CheckpointWriter();  // waits
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Bytes of the copy, and of one checkpoint on disk, which holds the parameters of `table`.
  static std::size_t plan(const ModelConfig& config);
  static std::uint64_t bytes_on_disk(const ParameterTable& table, const Tokenizer& tokenizer, Dtype dtype);

  // A checkpoint that is done, or what kept it from being written; the directory is as it was then. Or it is
  // there, and a link or the removal of an older one failed.
  struct Outcome {
    std::int64_t step = 0;
    std::filesystem::path path;
    bool committed = false;
    std::exception_ptr failure{};
  };

  // Waits for the save before, if that is still at work: never are two in flight. `retention` applies once
  // this one is committed.
  void save(const RunState& state, const Retention& retention);
  // The save before, if it is done and was not told yet.
  std::optional<Outcome> poll();
  // Waits for it.
  std::optional<Outcome> finish();

 private:
  void copy_state();
  void write(const RunState& state, const Retention& retention, const CheckpointTensors& tensors);

  const RunDirectory& directory_;
  const Transformer& model_;
  Optimizer& optimizer_;
  const Tokenizer& tokenizer_;
  Dtype dtype_;
  const CheckpointAdapter& adapter_;
  bool background_;
  Arena arena_{"checkpoint"};
  Tensor weights_, first_moment_, second_moment_;  // f32 [size of the trained table], where in the background
  Tensor prefix_;                                  // f32 [P, 2 L K] of one that is reparametrised
  std::thread thread_;
  std::atomic<bool> done_{false};
  std::optional<Outcome> outcome_;
};

}  // namespace surprisal
