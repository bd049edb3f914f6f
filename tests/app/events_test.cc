// What happens to a run from outside, and texts of every shape: the program does its work, or ends with one
// line and the exit code of its kind.
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text_width.h"
#include "tests/app/program.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Events : public testing::Test {
 protected:
  // Through a shell, with `before` run in it first.
  Outcome run_in_shell(const std::string& before, const std::string& arguments) const {
    const std::string command = "cd '" + (workplace_ / ".").string() + "' && " + before +
                                " && exec '" SURPRISAL_PROGRAM "' " + arguments + " >out 2>err </dev/null";
    const int status = std::system(command.c_str());
    return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            .out = read_file(workplace_ / "out"),
            .err = read_file(workplace_ / "err")};
  }

  Workplace workplace_;
};

// Bytes of address space are refused in any place: by the loader, a thread's stack, an arena, a product's
// panels, a vector. The program does its work or says what it would have needed; it never dies of it.
TEST_F(Events, MemoryThatRunsOutAnywhere) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers map more than any limit leaves";
#endif
  workplace_.write("run.toml", tiny_toml("causal"));
  auto limit = [](int mebibytes) { return "ulimit -v " + std::to_string(mebibytes << 10); };
  int least = 16;  // with which the program can be started at all
  while (least < 4096 && run_in_shell(limit(least), "--version").code != 0) least += 8;
  int refused = 0, done = 0;
  for (int mebibytes = least + 8; done < 3 && mebibytes < least + 1000; mebibytes += mebibytes / 24) {
    fs::remove_all(workplace_ / "run");
    const Outcome outcome =
        run_in_shell(limit(mebibytes), "train run.toml --train.threads 2 --train.head_workspace_mib 128");
    if (outcome.code == 0) {
      ++done;
      continue;
    }
    ++refused;
    EXPECT_EQ(outcome.code, 4) << mebibytes << " MiB: " << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("surprisal: error: ")) << mebibytes;
    if (outcome.err.find("machine  ") == std::string::npos) continue;  // before the run was planned
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("found a run of "), HasSubstr("weights "),
                                   HasSubstr("optimizer "), HasSubstr("train.micro_batch_tokens")))
        << mebibytes;
  }
  EXPECT_GE(refused, 2);
  EXPECT_EQ(done, 3);
}

TEST_F(Events, ALossThatIsNoNumberEndsWithFive) {
  std::string weights = read_file(workplace_ / "gpt2/model.safetensors");
  const float nan = NAN;
  std::memcpy(weights.data() + weights.size() - sizeof nan, &nan, sizeof nan);
  workplace_.write("gpt2/model.safetensors", weights);
  workplace_.write("run.toml", R"([run]
directory = "run"
[data]
train = ["text.txt"]
sequence_length = 16
[tokenizer]
path = "gpt2"
[objective]
train = "causal"
[model]
path = "gpt2"
[train]
max_steps = 4
tokens_per_step = 64
micro_batch_tokens = 32
)");
  const Outcome outcome = workplace_.run({"train", "run.toml"});
  EXPECT_EQ(outcome.code, 5) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("step 1"), HasSubstr("documents "), HasSubstr("text.txt:"),
                                 HasSubstr("first in the weights: "), HasSubstr("train.learning_rate")));
}

// What the program writes to a terminal of 60 columns that takes its standard error.
std::string shown_on_a_terminal(const fs::path& directory, const char* command) {
  int master = -1;
  winsize size{.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
  const pid_t child = forkpty(&master, nullptr, nullptr, &size);
  if (child == 0) {
    if (chdir(directory.c_str()) != 0) _exit(98);
    execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
    _exit(99);
  }
  std::string shown;
  std::array<char, 4096> buffer{};
  // Reading fails once nobody has the other end open.
  for (ssize_t count; (count = read(master, buffer.data(), buffer.size())) > 0;)
    shown.append(buffer.data(), static_cast<std::size_t>(count));
  close(master);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status << shown;
  return shown;
}

// On a terminal one line is written over and over, no wider than it; elsewhere, as in the log of a cluster,
// plain lines.
TEST_F(Events, ALiveLineIsForTerminalsAlone) {
  workplace_.write("run.toml", tiny_toml("causal"));
  const Outcome outcome = workplace_.run({"train", "run.toml"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("step 4/4 loss "), Not(HasSubstr("\r")), Not(HasSubstr("\x1b"))));
  const std::string shown = shown_on_a_terminal(
      workplace_.path(), "exec '" SURPRISAL_PROGRAM "' train run.toml --run.directory other >/dev/null");
  EXPECT_THAT(shown, AllOf(HasSubstr("\rstep 1/4 "), HasSubstr("\x1b[K")));
  for (std::size_t at = shown.find("\rstep "); at != std::string::npos; at = shown.find("\rstep ", at + 1)) {
    const std::string line = shown.substr(at + 1, shown.find("\x1b[K", at) - at - 1);
    EXPECT_LT(display_width(line), 60) << line;
  }
}

// A mark of byte order, carriage returns, NUL, documents of one character, of blanks and of thousands of
// words, and a line of a megabyte.
TEST_F(Events, TextsOfAnyShape) {
  std::string text = "\xEF\xBB\xBFthe cat sees a dog.\r\n\r\na\r\n\r\n   \r\n \r\n";
  text += std::string("the cat\0 sees a dog", 19) + "\n\n\xE7\x8C\xAB\n\n";
  for (int word = 0; word < 3000; ++word) text += "the dog sees the old king. ";
  text += "\n\n" + std::string(std::size_t{1} << 20, 'a') + "\n\nthe end.";
  workplace_.write("shapes.txt", text);
  for (const char* objective : {"causal", "mlm", "mlm + nsp"}) {
    workplace_.write("run.toml", tiny_toml(objective));
    const Outcome trained =
        workplace_.run({"train", "run.toml", "--run.directory", objective, "--data.train", "[\"shapes.txt\"]",
                        "--data.validation", "[\"shapes.txt\"]", "--train.eval_steps", "0", "--json"});
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_GT(trained.json().at("loss").get<double>(), 0);
    EXPECT_GT(trained.json().at("eval_loss").get<double>(), 0);
  }
}

// Never 0 / 0: a text of one character has a score, one of nothing is refused.
TEST_F(Events, TheShortestTextsAreScored) {
  for (const char* model : {"gpt2", "bert"}) {
    workplace_.write("short.txt", "a");
    const Outcome scored = workplace_.run({"score", "--model", model, "--json", "short.txt"});
    ASSERT_EQ(scored.code, 0) << scored.err;
    const Json figures = scored.json();
    EXPECT_TRUE(figures.contains("bits_per_byte"));
    for (const auto& [key, value] : figures.items()) {
      EXPECT_FALSE(value.is_null()) << model << ": " << key;
    }
    for (const char* nothing : {"", " \n\n \t\n", "\xEF\xBB\xBF"}) {
      workplace_.write("nothing.txt", nothing);
      EXPECT_FAILS(workplace_.run({"score", "--model", model, "--json", "nothing.txt"}), 3,
                   HasSubstr("nothing.txt"));
    }
  }
}

TEST_F(Events, NamesWithBlanksAndLetters) {
  const std::string folder = "ein Ordner \xC3\xBC \xE7\x8C\xAB";
  fs::create_directories(workplace_ / folder);
  for (const char* name : {"text.txt", "bpe", "gpt2"}) {
    fs::copy(workplace_ / name, workplace_ / (folder + "/" + name), fs::copy_options::recursive);
  }
  workplace_.write(folder + "/run it.toml", tiny_toml("causal"));
  const std::vector<std::string> run{
      "train",        folder + "/run it.toml",         "--run.directory",  folder + "/a run",
      "--data.train", "[\"" + folder + "/text.txt\"]", "--tokenizer.path", folder + "/bpe"};
  ASSERT_EQ(workplace_.run(run).code, 0);
  std::vector<std::string> more = run;
  more.insert(more.end(), {"--resume", "--train.max_steps", "6"});
  EXPECT_EQ(workplace_.run(more).code, 0);
  EXPECT_EQ(workplace_.run({"score", "--model", folder + "/a run/best", folder + "/text.txt"}).code, 0);
  EXPECT_EQ(workplace_.run({"inspect", folder + "/a run"}).code, 0);
}

TEST_F(Events, EveryTensorThatDoesNotFitIsNamedAtOnce) {
  std::string config = read_file(workplace_ / "gpt2/config.json");
  for (const auto& [from, to] : {std::pair{"\"n_positions\": 20", "\"n_positions\": 24"},
                                 std::pair{"\"n_layer\": 2", "\"n_layer\": 3"}}) {
    const std::size_t at = config.find(from);
    ASSERT_NE(at, std::string::npos) << config;
    config.replace(at, std::strlen(from), to);
  }
  workplace_.write("gpt2/config.json", config);
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "text.txt"}), 3,
               AllOf(HasSubstr("wpe.weight"), HasSubstr("[20, 12]"), HasSubstr("[24, 12]"),
                     HasSubstr("h.2.attn.c_attn.weight")));
}

}  // namespace
}  // namespace surprisal
