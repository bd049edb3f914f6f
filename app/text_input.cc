#include "text_input.h"

#include <fmt/format.h>

#include "console.h"
#include "objective/records.h"
#include "objective/sampler.h"
#include "verbs.h"

namespace surprisal {

void SampleArguments::add_to(CLI::App& verb) {
  verb.add_option("--sequence-length", sequence_length, "most rows of one sequence")
      ->check(CLI::Range(std::int64_t{4}, std::int64_t{1} << 30))
      ->capture_default_str();
  verb.add_option("--seed", seed, "of masks and pairs")->check(CLI::NonNegativeNumber)->capture_default_str();
  verb.add_option("--epoch", epoch, "counted from 0")
      ->check(CLI::Range(std::int64_t{0}, (std::int64_t{1} << 24) - 1))
      ->capture_default_str();
  verb.add_option("--progress", progress,
                  "how far a run is, where mask rates change over it: 0 to 1, its end")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb.add_option("--samples", samples, "the first K samples; 0: all of the epoch")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.allow_extras();
}

void SampleArguments::read_overrides(const std::vector<std::string>& rest) {
  read_options("", parse_overrides(rest), [&](OptionVisitor& visitor) {
    visitor.table("data", "", [&](OptionVisitor& v) { corpus.visit(v); });
    visitor.table("objective", "", [&](OptionVisitor& v) { options.visit_tables(v); });
  });
}

void read_corpus_overrides(const std::vector<std::string>& rest, CorpusOptions& corpus) {
  read_options("", parse_overrides(rest), [&](OptionVisitor& visitor) {
    visitor.table("data", "", [&](OptionVisitor& v) { corpus.visit(v); });
  });
}

Mixture make_mixture(SampleArguments& arguments, const Tokenizer& tokenizer,
                     const std::vector<std::string>& known) {
  name_classes({arguments.objective}, known, {arguments.text}, arguments.corpus, arguments.options);
  return {arguments.objective, arguments.options, tokenizer, arguments.sequence_length};
}

TokenCorpus open_text(const std::string& path, const CorpusOptions& corpus, const Tokenizer& tokenizer) {
  LiveLine live;
  TokenCorpus text = TokenCorpus::open(
      {path}, corpus, tokenizer, {},
      [&](std::uint64_t done, std::uint64_t total) { live.show(tokenising_text(done, total)); });
  live.clear();
  if (std::string skips = skips_text(text.report()); !skips.empty())
    say(fmt::format("surprisal: {}: {}", path, skips));
  return text;
}

TokenCorpus open_text(const SampleArguments& arguments, const Mixture& mixture, const Tokenizer& tokenizer) {
  CorpusOptions corpus = arguments.corpus;
  corpus.records = records_of({&mixture}, arguments.options);
  TokenCorpus text = open_text(arguments.text, corpus, tokenizer);
  for (const std::string& remark : mixture.remarks(text)) say("surprisal: " + remark);
  return text;
}

std::vector<Stream> read_samples(const SampleArguments& arguments, const Mixture& mixture,
                                 const TokenCorpus& corpus) {
  mixture.check_corpus(corpus);
  std::vector<Stream> streams;
  for_each_sample(
      corpus, mixture, static_cast<std::uint64_t>(arguments.seed),
      static_cast<std::uint32_t>(arguments.epoch), arguments.samples == 0,
      [&](const Stream& sample) {
        streams.push_back(sample);
        return arguments.samples == 0 || std::ssize(streams) < arguments.samples;
      },
      arguments.progress);
  return streams;
}

}  // namespace surprisal
