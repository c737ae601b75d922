// The main() of every C++ test. Under `bazel test` it also writes JUnit XML (XML_OUTPUT_FILE), and
// honours sharding (TEST_TOTAL_SHARDS) and --test_filter: Catch2 v2 does none of these by itself.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string XmlEscaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n':
      case '\t': out += c; break;
      default: out += static_cast<unsigned char>(c) < 32 ? '?' : c;
    }
  }
  return out;
}

void WriteXml(const std::string& cases, int count, int failed) {
  const std::string path = Env("XML_OUTPUT_FILE");
  if (path.empty()) return;
  std::ofstream file(path);
  file << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\""
       << XmlEscaped(Env("TEST_TARGET")) << "\" tests=\"" << count << "\" failures=\"" << failed
       << "\" errors=\"0\">\n"
       << cases << "</testsuite>\n</testsuites>\n";
}

// Collects one <testcase> a test case and writes the file at the end of the run. A process that
// dies before leaves no file; Bazel then writes one itself that holds an error.
class JUnitListener : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo&) override {
    failures_.clear();
    timer_.start();
  }

  bool assertionEnded(const Catch::AssertionStats& stats) override {
    const Catch::AssertionResult& result = stats.assertionResult;
    if (!result.isOk()) {
      failures_ += "<failure message=\"" + XmlEscaped(result.getExpressionInMacro()) + "\">" +
                   XmlEscaped(result.getExpandedExpression() + "\n" +
                              std::string(result.getMessage()) + "\nat " +
                              result.getSourceInfo().file + ":" +
                              std::to_string(result.getSourceInfo().line)) +
                   "</failure>";
    }
    return false;
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const bool ok = stats.totals.assertions.allOk();
    if (!ok && failures_.empty()) failures_ = "<failure message=\"failed\"/>";
    ++count_;
    if (!ok) ++failed_;
    cases_ += "<testcase name=\"" + XmlEscaped(stats.testInfo.name) + "\" classname=\"" +
              XmlEscaped(Env("TEST_TARGET")) + "\" time=\"" +
              std::to_string(timer_.getElapsedSeconds()) + "\">" + (ok ? "" : failures_) +
              "</testcase>\n";
  }

  void testRunEnded(const Catch::TestRunStats&) override { WriteXml(cases_, count_, failed_); }

 private:
  std::string cases_;
  std::string failures_;
  int count_ = 0;
  int failed_ = 0;
  Catch::Timer timer_;
};
CATCH_REGISTER_LISTENER(JUnitListener)

// A test case's name as a Catch2 filter that matches only it.
std::string ExactFilter(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '\\' || c == '"' || c == ',' || c == '[') out += '\\';
    out += c;
  }
  return out + "\"";
}

// The filter for every `shards`-th test case from `mine` on; empty when this shard has none.
std::string ShardFilter(Catch::Session& session, unsigned long shards, unsigned long mine) {
  const Catch::Config& config = session.config();
  const std::vector<Catch::TestCase> cases =
      Catch::filterTests(Catch::getAllTestCasesSorted(config), config.testSpec(), config);
  std::string filter;
  for (std::size_t i = mine; i < cases.size(); i += shards) {
    if (!filter.empty()) filter += ",";
    filter += ExactFilter(cases[i].name);
  }
  return filter;
}

}  // namespace

int main(int argc, char** argv) {
  Catch::Session session;
  const int bad_flags = session.applyCommandLine(argc, argv);
  if (bad_flags != 0) return bad_flags;
  Catch::ConfigData& config = session.configData();
  const std::string only = Env("TESTBRIDGE_TEST_ONLY");
  if (!only.empty()) config.testsOrTags = {only};
  const std::string shards = Env("TEST_TOTAL_SHARDS");
  if (!shards.empty() && std::stoul(shards) > 1) {
    std::ofstream touched(Env("TEST_SHARD_STATUS_FILE"));  // tells Bazel that we do shard
    const std::string filter =
        ShardFilter(session, std::stoul(shards), std::stoul(Env("TEST_SHARD_INDEX")));
    if (filter.empty()) {
      WriteXml("", 0, 0);
      return 0;
    }
    config.testsOrTags = {filter};
    session.useConfigData(config);
  }
  return session.run();
}
