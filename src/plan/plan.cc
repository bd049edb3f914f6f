#include "plan/plan.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "objective/mixed_sampler.h"

namespace surprisal {
namespace {

// Steps differ in how far their micro-batches are filled: the mean of the first ones.
void draw_steps(const RunSetup& setup, MixedSampler& sampler, RunForecast& forecast) {
  constexpr std::int64_t kSteps = 32;
  const std::int64_t steps = std::min(kSteps, std::max<std::int64_t>(forecast.max_steps, 1));
  const double each = 1.0 / static_cast<double>(steps);
  double tokens = 0, targets = 0;
  Stream stream;
  for (std::int64_t step = 1; step <= steps; ++step) {
    sampler.set_progress(step, forecast.max_steps);
    for (std::int64_t i = 0; i < forecast.micro_batches; ++i) {
      sampler.next(stream);
      forecast.flops += each * Transformer::flops(setup.config, stream, true);
      tokens += each * stream.size();
      targets += each * static_cast<double>(stream.target.size() + stream.label.size());
    }
  }
  forecast.tokens = static_cast<std::uint64_t>(std::llround(tokens));
  forecast.targets = static_cast<std::uint64_t>(std::llround(targets));
}

}  // namespace

RunForecast forecast(const Configuration& configuration, const RunSetup& setup,
                     const TokenCorpus::Progress& progress) {
  const TrainOptions& options = configuration.train;
  if (options.threads > 0) set_threads(static_cast<int>(options.threads));  // each has scratch of its own
  RunForecast forecast{.sizes = size_run(configuration, setup),
                       .micro_batches = micro_batches(options),
                       .checkpoints = options.save_keep_steps > 0 ? 0 : checkpoints_at_once(options)};
  const TokenCorpus corpus = open_run_text(configuration, setup, configuration.data.train, progress);
  forecast.data = corpus.report();
  MixedSampler sampler(corpus, setup.mixture, static_cast<std::uint64_t>(configuration.run.seed),
                       static_cast<std::int32_t>(options.micro_batch_tokens), SampleOrder::shuffled);
  forecast.program = program_memory();
  const std::uint64_t packs = sampler.packs_in_epoch();
  forecast.max_steps = count_steps(options, packs);
  forecast.epochs =
      static_cast<double>(forecast.max_steps * forecast.micro_batches) / static_cast<double>(packs);
  draw_steps(setup, sampler, forecast);
  return forecast;
}

}  // namespace surprisal
