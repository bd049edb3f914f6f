// surprisal(1) from the option table.
#include <fmt/format.h>

#include "option_table.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// Text as it is, of any content: no request, no escape, no typographic quote or hyphen.
std::string roff(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const CodePoint point = code_point_at(text, at);
      result += fmt::format("\\[u{:04X}]", point.value);
      at += point.size;
      continue;
    }
    const bool line_begins = at == 0 || text[at - 1] == '\n';
    if (line_begins && (c == '.' || c == '\'')) result += "\\&";
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':
        result += "\\-";
        break;
      case '\'':
        result += "\\(aq";
        break;
      case '`':
        result += "\\(ga";
        break;
      case '"':
        result += "\\(dq";
        break;
      case '^':
        result += "\\(ha";
        break;
      case '~':
        result += "\\(ti";
        break;
      default:
        result += c;
    }
    ++at;
  }
  return result;
}

std::string option_text(const OptionEntry& option) {
  std::string text = ".TP\n\\fB" + roff(option.name) + "\\fR";
  if (!option.positional() && option.value != ValueKind::none) text += " \\fI" + roff(option.type) + "\\fR";
  text += "\n" + roff(option.help);
  if (option.required) text += "; required";
  if (!option.default_value.empty()) text += "; default " + roff(option.default_value);
  return text + "\n";
}

std::string verb_text(const VerbEntry& verb) {
  std::string text = ".SS surprisal " + roff(verb.spelling()) + "\n" + roff(verb.help) + ".\n";
  for (const OptionEntry& option : verb.options) text += option_text(option);
  if (!verb.keys.empty()) {
    text += verb.path.back() == "train" || verb.path.back() == "plan"
                ? ".PP\nEvery key of CONFIGURATION is also an option.\n"
                : ".PP\nThe keys of CONFIGURATION that say how text is read and what objectives do are also "
                  "options.\n";
  }
  if (!verb.footer.empty()) text += ".PP\n.nf\n" + roff(verb.footer) + "\n.fi\n";
  return text;
}

std::string configuration_text(const std::vector<VerbEntry>& verbs) {
  std::string text =
      ".SH CONFIGURATION\nKeys of the TOML file that \\fBsurprisal train\\fR reads, as options.\n";
  for (const VerbEntry& verb : verbs) {
    if (verb.path != std::vector<std::string>{"train"}) continue;
    for (const OptionEntry& key : verb.keys) text += option_text(key);
  }
  return text;
}

constexpr const char* kTail = R"(.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 2
usage or configuration
.TP
.B 3
a model, tokenizer, corpus or stream that cannot be used
.TP
.B 4
out of memory
.TP
.B 5
diverged: a loss or gradient that is not finite
.TP
.B 6
disk or I/O
.TP
.B 128 + n
stopped by signal n, with a checkpoint to go on from
.SH SIGNALS
While training, the first SIGINT or SIGTERM finishes the step, saves and exits; the second ends at once.
SIGUSR1 saves and goes on.
.SH ENVIRONMENT
.TP
.B OMP_NUM_THREADS
threads, where the configuration does not say; else as many as the cores that the process may run on
.TP
.BR OMP_WAIT_POLICY ", " GOMP_SPINCOUNT
how long threads wait before they sleep; short unless one of them is set
)";

}  // namespace

std::string man_page(const std::vector<VerbEntry>& verbs) {
  std::string text =
      ".\\\" Made by surprisal completion man.\n.TH SURPRISAL 1 \"\" \"surprisal " SURPRISAL_VERSION
      "\"\n.SH NAME\nsurprisal \\- train, score and explain language models\n.SH SYNOPSIS\n"
      ".B surprisal\n.I verb\n[\\fIoptions\\fR]\n";
  const VerbEntry& program = verbs.front();
  text +=
      ".SH DESCRIPTION\n" + roff(program.help) + "\n.PP\n.nf\n" + roff(program.footer) + "\n.fi\n.SH VERBS\n";
  for (const VerbEntry& verb : verbs) {
    if (verb.verbs.empty()) text += verb_text(verb);
  }
  return text + configuration_text(verbs) + kTail;
}

}  // namespace surprisal
