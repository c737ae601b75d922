// Running trainctl inside a test: what it prints and how it exits.
#ifndef RM_TOOLS_TRAINCTL_TESTING_H_
#define RM_TOOLS_TRAINCTL_TESTING_H_

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tools/trainctl/main.h"

namespace rm::trainctl {

struct Ran {
  int code = 0;
  std::string out;  // standard output
  std::string err;  // standard error
};

// Takes what goes to a stream for its lifetime.
class Captured {
 public:
  explicit Captured(std::ostream& stream) : stream_(stream), former_(stream.rdbuf(text_.rdbuf())) {}
  ~Captured() {
    stream_.rdbuf(former_);
    stream_.clear();
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* const former_;
};

// `trainctl words…`
inline Ran Trainctl(std::vector<std::string> words) {
  words.insert(words.begin(), "trainctl");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  const Captured out(std::cout);
  const Captured err(std::cerr);
  Ran ran;
  ran.code = TrainctlMain(static_cast<int>(argv.size()), argv.data());
  ran.out = out.text();
  ran.err = err.text();
  return ran;
}

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_TESTING_H_
