// Encoding a text line by line, and training a tokenizer on it.
#include "surprisal/tokenizer.h"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "command_line.h"
#include "core/file.h"
#include "core/parallel.h"
#include "report.h"
#include "text/train/train_tokenizer.h"

namespace surprisal::bench {
namespace {

struct Arguments {
  std::string text, tokenizer, train;
  std::int64_t vocab_size = 30000;
  int repetitions = 5;
  std::vector<int> threads = {1, 2};
  bool starts = false, json = false;
};

// What one timed piece of work took: wall time, and that of all threads on a core.
struct Cost {
  std::vector<double> wall, cpu;
};

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Work>
void time_work(Cost& cost, Work&& work) {
  double wall = seconds_since_start(), cpu = cpu_seconds();
  work();
  cost.wall.push_back(seconds_since_start() - wall);
  cost.cpu.push_back(cpu_seconds() - cpu);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    if (end != 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::uint64_t bytes_of(const std::vector<std::string_view>& lines) {
  std::uint64_t bytes = 0;
  for (std::string_view line : lines) bytes += line.size();
  return bytes;
}

constexpr std::int64_t kLinesPerBlock = 256;

using Ids = std::vector<std::int32_t>;

std::vector<Ids> encode(const Tokenizer& tokenizer, const std::vector<std::string_view>& lines, bool starts) {
  auto count = static_cast<std::int64_t>(lines.size());
  std::vector<Ids> ids(static_cast<std::size_t>((count + kLinesPerBlock - 1) / kLinesPerBlock));
  parallel_ranges(count, kLinesPerBlock, [&](std::int64_t begin, std::int64_t end, int) {
    Ids& block = ids[static_cast<std::size_t>(begin / kLinesPerBlock)];
    std::vector<std::uint32_t> places;
    for (std::int64_t line = begin; line < end; ++line) {
      tokenizer.encode(lines[static_cast<std::size_t>(line)], block, starts ? &places : nullptr);
    }
  });
  return ids;
}

struct Checksum {
  std::uint64_t ids = 0, sum = 0;  // how many; every one times its place
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

Checksum checksum_of(const std::vector<Ids>& blocks) {
  Checksum result;
  for (const Ids& block : blocks) {
    for (std::int32_t id : block) result.sum += static_cast<std::uint64_t>(id) * (result.ids++ % 65521 + 1);
  }
  return result;
}

void print(const Arguments& arguments, const std::string& what, const Cost& cost, std::uint64_t bytes,
           Checksum checksum) {
  Times wall = summarise(cost.wall), cpu = summarise(cost.cpu);
  double megabytes = static_cast<double>(bytes) / 1e6;
  if (arguments.json) {
    fmt::print("{{\"seconds\":{},\"cpu_seconds\":{},\"bytes\":{},\"ids\":{},\"checksum\":{}}}\n", wall.median,
               cpu.median, bytes, checksum.ids, checksum.sum);
  } else {
    fmt::print("{}  median {:.3f} s, best {:.3f} s; {:.1f} MB/s a core (best {:.1f})", what, wall.median,
               wall.best, megabytes / cpu.median, megabytes / cpu.best);
    if (checksum.ids) fmt::print("; {} ids, checksum {}", checksum.ids, checksum.sum);
    fmt::print("\n");
  }
  std::fflush(stdout);
}

// Every repetition, on any number of threads, must give the same ids.
void time_encoding(const Arguments& arguments) {
  Tokenizer tokenizer = Tokenizer::load(arguments.tokenizer);
  std::string text = read_file(arguments.text);
  std::vector<std::string_view> lines = lines_of(text);
  std::optional<Checksum> first;
  for (int count : arguments.threads) {
    set_threads(count);
    Cost cost;
    for (int repetition = 0; repetition < arguments.repetitions; ++repetition) {
      std::vector<Ids> ids;
      time_work(cost, [&] { ids = encode(tokenizer, lines, arguments.starts); });
      Checksum checksum = checksum_of(ids);
      if (first.value_or(checksum) != checksum) throw std::runtime_error("a repetition gave other ids");
      first = checksum;
    }
    print(arguments, fmt::format("encode, {} threads", count), cost, bytes_of(lines), *first);
  }
}

void time_training(const Arguments& arguments) {
  TokenizerTraining training{.type = arguments.train,
                             .vocab_size = arguments.vocab_size,
                             .lowercase = arguments.train == "wordpiece",
                             .files = {arguments.text},
                             .progress = {}};
  std::optional<std::string> first;
  for (int count : arguments.threads) {
    set_threads(count);
    Cost cost;
    for (int repetition = 0; repetition < arguments.repetitions; ++repetition) {
      TrainedTokenizer trained;
      time_work(cost, [&] { trained = train_tokenizer(training); });
      if (first.value_or(trained.tokenizer_json) != trained.tokenizer_json) {
        throw std::runtime_error("a repetition gave another tokenizer");
      }
      if (trained.vocab_size != arguments.vocab_size) throw std::runtime_error("the text is too small");
      first = trained.tokenizer_json;
    }
    print(arguments, fmt::format("train {} on {} threads", arguments.train, count), cost,
          std::filesystem::file_size(arguments.text), {});
  }
}

Arguments parse(int argc, char** argv) {
  CLI::App app("Times encoding a text line by line with a tokenizer, or training a tokenizer on it.");
  Arguments arguments;
  app.add_option("--text", arguments.text, "a text file")->required();
  app.add_option("--tokenizer", arguments.tokenizer, "directory or tokenizer.json to encode with");
  app.add_option("--train", arguments.train, "the type to train")->check(CLI::IsMember({"bpe", "wordpiece"}));
  app.add_option("--vocab-size", arguments.vocab_size, "entries to train")->capture_default_str();
  app.add_option("--repetitions", arguments.repetitions, "timed runs")->check(CLI::PositiveNumber);
  app.add_option("--threads", arguments.threads, "one or more numbers of threads; 1 2 unless given")
      ->check(CLI::PositiveNumber);
  app.add_flag("--starts", arguments.starts, "ask for the tokens' places too, as the token cache does");
  app.add_flag("--json", arguments.json, "a line of JSON a measurement");
  parse_or_exit(app, argc, argv);
  if (arguments.tokenizer.empty() == arguments.train.empty()) {
    std::exit(app.exit(CLI::RequiredError("one of --tokenizer and --train")));
  }
  return arguments;
}

int run(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  if (!arguments.json) print_conditions(argc, argv);
  arguments.train.empty() ? time_encoding(arguments) : time_training(arguments);
  return 0;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  return surprisal::bench::run_benchmark("tokenizer", &surprisal::bench::run, argc, argv);
}
