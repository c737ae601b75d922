#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file_system.h"
#include "base/status.h"
#include "runtime/jobspec/jobspec.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/follow.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

constexpr double kPreflightWaitSeconds = 10;

struct SubmitFlags {
  bool follow = false;
  bool wait = false;
  bool dry_run = false;
  std::vector<std::string> overrides;
  std::string name;
};

// A job file that was read.
struct JobFile {
  std::string shown_name;  // in messages
  std::string folder;      // that its paths are relative to
  std::string text;
};

absl::StatusOr<JobFile> ReadJobFile(const std::string& argument) {
  std::error_code error;
  const std::string here = std::filesystem::current_path(error).string();
  if (argument == "-") {
    return JobFile{"<stdin>", here, std::string(std::istreambuf_iterator<char>(std::cin), {})};
  }
  auto text = base::PosixFileSystem().ReadFile(argument);
  if (!text.ok()) return absl::InvalidArgumentError(text.status().message());
  return JobFile{argument, base::ParentPath(base::AbsolutePath(argument, here)), *std::move(text)};
}

std::string UserName() {
  const passwd* entry = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe)
  return entry == nullptr ? absl::StrCat("uid-", ::geteuid()) : entry->pw_name;
}

std::string NewRequestId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

// "12:5: message" is a place in the job file, anything else a field: both get the file's name.
void PrintError(const JobFile& file, const std::string& error) {
  std::cerr << file.shown_name << ":" << (absl::ascii_isdigit(static_cast<unsigned char>(error[0])) ? "" : " ")
            << error << "\n";
}

// The errors that the coordinator found, in the form of those found here.
int PrintRefusal(const JobFile& file, const absl::Status& status) {
  const auto violations = client::ViolationsOf(status);
  if (violations.empty()) return Complain(status);
  for (const client::Violation& violation : violations) PrintError(file, violation.description);
  return kUsage;
}

absl::StatusOr<pb::SubmitRequest> MakeRequest(const JobFile& file, const SubmitFlags& flags,
                                              bool* invalid) {
  std::vector<std::string> overrides = flags.overrides;
  if (!flags.name.empty()) overrides.push_back(absl::StrCat("name=", flags.name));
  jobspec::ParseResult parsed = jobspec::Parse(file.text, overrides);
  for (const jobspec::Diagnostic& error : parsed.errors) {
    std::cerr << jobspec::Render(error, file.shown_name, file.text) << "\n";
  }
  *invalid = !parsed.ok();
  jobspec::MakePathsAbsolute(&parsed.spec, file.folder);
  pb::SubmitRequest request;
  *request.mutable_spec() = parsed.spec;
  request.mutable_source_positions()->Add(parsed.positions.begin(), parsed.positions.end());
  request.set_request_id(NewRequestId());
  request.set_user(UserName());
  request.set_validate_only(flags.dry_run);
  request.set_preflight_wait_seconds(kPreflightWaitSeconds);
  return request;
}

void PrintSubmitted(const CommonFlags& common, const pb::SubmitReply& reply) {
  if (common.output == "json" || common.output == "yaml") {
    std::cout << FormatMessages({&reply}, false, common.output);
  } else {
    std::cout << reply.job_id() << "\n";
  }
  std::cout << std::flush;
}

int SubmitFile(const CommandLine& line, const SubmitFlags& flags) {
  auto file = ReadJobFile(line.positional(0));
  if (!file.ok()) return Complain(file.status());
  bool invalid = false;
  const auto request = MakeRequest(*file, flags, &invalid);
  if (!request.ok()) return Complain(request.status());
  if (invalid) return kUsage;
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto reply = (*client)->Submit(*request);
  if (!reply.ok()) return PrintRefusal(*file, reply.status());
  if (flags.dry_run) {
    std::cout << jobspec::ToYaml(request->spec());
    std::cerr << "the job is valid; nothing was submitted\n";
    return kDone;
  }
  PrintSubmitted(line.common(), *reply);
  if (reply->preflight_errors_size() > 0) {
    for (const std::string& error : reply->preflight_errors()) PrintError(*file, error);
    return kUsage;
  }
  if (!flags.follow && !flags.wait) {
    std::cerr << "follow it with: trainctl logs -f " << reply->job_id() << "\n";
    return kDone;
  }
  FollowOptions follow;
  follow.progress = flags.follow;
  return FollowJob(session, **client, reply->job_id(), follow);
}

}  // namespace

int RunSubmit(const Command& command, const Words& words) {
  SubmitFlags flags;
  CommandLine line(command);
  line.flags().Switch("follow", "show the progress until the job has ended", &flags.follow);
  line.flags().Letter('f', "follow");
  line.flags().Switch("wait", "wait until the job has ended", &flags.wait);
  line.flags().Switch("dry-run", "check the job and print it with its defaults", &flags.dry_run);
  line.flags().Texts("set", "KEY=VALUE", "replace a field of the file; may be repeated",
                     &flags.overrides);
  line.flags().Text("name", "NAME", "another name for the job", &flags.name);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  return SubmitFile(line, flags);
}

}  // namespace rm::trainctl
