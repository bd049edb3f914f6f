#include "plan/plan.h"

#include "core/parallel.h"
#include "objective/mixed_sampler.h"

namespace surprisal {
namespace {

void draw_first_step(const RunSetup& setup, MixedSampler& sampler, RunForecast& forecast) {
  Stream stream;
  sampler.set_progress(1, forecast.max_steps);
  for (std::int64_t i = 0; i < forecast.micro_batches; ++i) {
    sampler.next(stream);
    forecast.flops += Transformer::flops(setup.config, stream, true);
    forecast.tokens += static_cast<std::uint64_t>(stream.size());
    forecast.targets += stream.target.size() + stream.label.size();
  }
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
  draw_first_step(setup, sampler, forecast);
  return forecast;
}

}  // namespace surprisal
