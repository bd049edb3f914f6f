#include "tests/train/tiny_run.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "core/file.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

std::string without_time(const fs::path& file) {
  std::string text;
  for (Json line : read_lines(file)) {
    for (const char* key : {"tokens_per_sec", "mfu", "mem_bytes", "wall_s"}) line.erase(key);
    text += line.dump() + "\n";
  }
  return text;
}

}  // namespace

TinyRuns::TinyRuns() {
  write("train.txt", tiny_text(24, 5));
  write("held-out.txt", tiny_text(6, 6));
  tiny_bpe().save(directory_ / "bpe");
  tiny_wordpiece().save(directory_ / "wordpiece");
}

void TinyRuns::write(const std::string& name, const std::string& content) const {
  std::ofstream(directory_ / name, std::ios::binary) << content;
}

void TinyRuns::write_pairs(const std::string& name, int pairs) const {
  std::string lines;
  for (int pair = 0; pair < pairs; ++pair) {
    const std::string text = tiny_text(1, 100 + static_cast<std::uint64_t>(pair));
    const std::size_t end = text.find(' ', 4);
    lines +=
        to_line({{"prompt", text.substr(0, end)}, {"completion", text.substr(end, text.find('\n') - end)}}) +
        "\n";
  }
  write(name, lines);
}

Configuration TinyRuns::configuration(const std::string& objective, const std::string& run) const {
  bool decoder =
      objective.find("causal") != std::string::npos || objective.find("reverse") != std::string::npos;
  Configuration configuration;
  configuration.run.directory = directory_ / run;
  configuration.data.train = {directory_ / "train.txt"};
  configuration.data.validation = {directory_ / "held-out.txt"};
  configuration.data.sequence_length = 16;
  configuration.tokenizer.path = directory_ / (decoder ? "bpe" : "wordpiece");
  configuration.objective.train = objective;
  configuration.model.family = decoder ? "gpt2" : "bert";
  configuration.model.hidden_size = 12;
  configuration.model.num_hidden_layers = 2;
  configuration.model.num_attention_heads = 3;
  configuration.model.hidden_dropout_prob = configuration.model.attention_probs_dropout_prob = 0;
  configuration.train.max_steps = 12;
  configuration.train.tokens_per_step = 128;
  configuration.train.micro_batch_tokens = 64;
  configuration.train.learning_rate = 1e-2;
  configuration.train.eval_steps = configuration.train.save_steps = 4;
  configuration.train.threads = 1;
  return configuration;
}

RunSummary train_quietly(const Configuration& configuration, bool resume) {
  TrainObserver nobody;
  return train(configuration, resume, nobody);
}

std::vector<Json> read_lines(const fs::path& file) {
  std::istringstream text(read_file(file));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(parse_json(line, file.string()));
  return lines;
}

std::vector<std::pair<std::string, std::string>> timeless_content(const fs::path& directory) {
  const std::set<std::string> timed{"environment.json", "config.toml", "summary.json"};
  std::vector<std::pair<std::string, std::string>> content;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    std::string name = entry.path().lexically_relative(directory);
    if (entry.is_symlink()) {
      content.emplace_back(name, "-> " + fs::read_symlink(entry.path()).string());
    } else if (entry.is_regular_file() && !timed.contains(name)) {
      content.emplace_back(name,
                           name == "metrics.jsonl" ? without_time(entry.path()) : read_file(entry.path()));
    }
  }
  std::sort(content.begin(), content.end());
  return content;
}

}  // namespace surprisal
