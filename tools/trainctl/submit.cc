// trainctl submit: from a job file to a job, and if asked to its end. What is wrong with the file is said here,
// before anyone is dialled; what only the cluster can know comes back in the same form.

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/file_system.h"
#include "base/status.h"
#include "runtime/jobspec/jobspec.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/follow.h"
#include "tools/trainctl/job_model.h"
#include "tools/trainctl/outage.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

constexpr double kPreflightWaitSeconds = 10;
// The field of the file that is not only uploaded but read as well.
constexpr char kModelField[] = "model.onnx";
// How long the answer to a submission is asked for again after the connection broke: a coordinator
// that was killed is back within that, if somebody brings it back.
constexpr absl::Duration kAnswerPatience = absl::Minutes(1);

// The flags of submit.
struct SubmitFlags {
  bool follow = false;
  bool wait = false;
  bool dry_run = false;
  std::vector<std::string> overrides;
  std::string name;
  std::string patience;
};

// A job file that was read.
struct JobFile {
  std::string shown_name;  // in messages
  std::string folder;      // that its paths are relative to
  std::string text;
};

// Relative paths in a job from standard input mean the folder we are in.
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

// Who is shown as the job's owner; no claim is made that anyone checked it.
std::string UserName() {
  const passwd* entry = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe)
  return entry == nullptr ? absl::StrCat("uid-", ::geteuid()) : entry->pw_name;
}

// Makes a retried submission the same submission.
std::string NewRequestId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

// "12:5: message" has a place in the job file, anything else has none: both get the file's name.
void PrintError(const JobFile& file, const std::string& error) {
  const bool placed = !error.empty() && absl::ascii_isdigit(static_cast<unsigned char>(error[0]));
  std::cerr << file.shown_name << (placed ? ":" : ": ") << error << "\n";
}

int PrintErrors(const JobFile& file, const pb::SubmitReply& reply) {
  for (const std::string& error : reply.preflight_errors()) PrintError(file, error);
  return kUsage;
}

// The errors that the coordinator found, in the form of those found here.
int PrintRefusal(const JobFile& file, const absl::Status& status) {
  const auto violations = client::ViolationsOf(status);
  if (violations.empty()) return Complain(status);
  for (const auto& [field, description] : violations) {
    const bool placed =
        !description.empty() && absl::ascii_isdigit(static_cast<unsigned char>(description[0]));
    PrintError(file, placed || field.empty() ? description : absl::StrCat(field, ": ", description));
  }
  return kUsage;
}

// The request, or nothing when the file is wrong: then its errors have been printed.
std::optional<pb::SubmitRequest> MakeRequest(const JobFile& file, const SubmitFlags& flags) {
  std::vector<std::string> overrides = flags.overrides;
  if (!flags.name.empty()) overrides.push_back(absl::StrCat("name=", flags.name));
  jobspec::ParseResult parsed = jobspec::Parse(file.text, overrides);
  for (const jobspec::Diagnostic& error : parsed.errors) {
    std::cerr << jobspec::Render(error, file.shown_name, file.text) << "\n";
  }
  if (!parsed.ok()) return std::nullopt;
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

// The place in the file of a field, as "line:column: "; "" for one that is not in the file.
std::string PlaceOf(const pb::SubmitRequest& request, const std::string& field) {
  for (const pb::SourcePosition& position : request.source_positions()) {
    if (position.field_path() != field) continue;
    return absl::StrCat(position.line(), ":", position.column(), ": ");
  }
  return "";
}

// What keeps a file that goes with the job from being read here; OK when nothing does.
// Opened, and not merely looked for: a file of somebody else's is there and cannot be read.
absl::Status CheckReadable(const std::string& path) {
  return base::PosixFileSystem().Open(path).status();
}

// Files that go with the job are looked at before anyone is dialled. False: what is wrong has been
// printed.
bool CheckFiles(const JobFile& file, const pb::SubmitRequest& request) {
  bool readable = true;
  for (const std::string& field : jobspec::FilesToUpload(request.spec())) {
    const absl::Status status = CheckReadable(jobspec::FileAt(request.spec(), field));
    if (status.ok()) continue;
    readable = false;
    PrintError(file, absl::StrCat(PlaceOf(request, field), "'", field, "': ", status.message()));
  }
  return readable;
}

// Reads the ONNX file that the job brings along, if it brings one, and prints what people should know
// of it. False: what is wrong with it has been printed.
bool ReadModel(const JobFile& file, const pb::SubmitRequest& request,
               std::optional<JobModel>& model) {
  for (const std::string& field : jobspec::FilesToUpload(request.spec())) {
    if (field != kModelField) continue;
    auto read = JobModel::Read(jobspec::FileAt(request.spec(), field));
    const std::string place = PlaceOf(request, field);
    if (!read.ok()) {
      PrintError(file, absl::StrCat(place, "'", field, "': ", read.status().message()));
      return false;
    }
    for (const std::string& warning : read->warnings()) {
      PrintError(file, absl::StrCat(place, "warning: ", warning));
    }
    model.emplace(*std::move(read));
  }
  return true;
}

// Files that go with the job are put onto the cluster's storage, and stand in the request by their
// content. Of a model whose tensors lie in other files it is the copy that has them all.
absl::Status UploadFiles(client::Client& client, const std::optional<JobModel>& model,
                         pb::SubmitRequest& request) {
  for (const std::string& field : jobspec::FilesToUpload(request.spec())) {
    const std::string path = jobspec::FileAt(request.spec(), field);
    const bool is_model = model.has_value() && field == kModelField;
    const auto sha256 = client.UploadArtifact(is_model ? model->path() : path);
    if (!sha256.ok()) return base::Annotate(sha256.status(), absl::StrCat("uploading ", path));
    jobspec::SetFileAt(field, jobspec::ArtifactName(*sha256), request.mutable_spec());
  }
  return absl::OkStatus();
}

// Submits, and asks again under the same request id when the connection breaks before the answer: the
// coordinator may have taken the job, and takes it once. Whoever was never reached is not asked again.
absl::StatusOr<pb::SubmitReply> SubmitOnce(Session& session, client::Client& client,
                                           const pb::SubmitRequest& request,
                                           absl::Duration patience) {
  // The cheapest question there is. Who does not answer it has not taken the job either, so that this
  // can be said at once; behind it, a broken connection means that nobody knows.
  const auto present = client.Status();
  if (absl::IsUnavailable(present.status())) return present.status();
  Outage outage(std::min(patience, kAnswerPatience), [](const std::string& line) {
    std::cerr << line << "\n";
  });
  for (;;) {
    auto reply = client.Submit(request);
    if (session.interrupted()) return absl::CancelledError("interrupted");
    if (reply.ok() || !absl::IsUnavailable(reply.status())) {
      outage.NoteBack();
      return reply;
    }
    const absl::Status hopeless = outage.Wait(reply.status());
    if (hopeless.ok()) continue;
    return absl::UnavailableError(absl::StrCat(
        hopeless.message(), "; whether it took the job is not known: 'trainctl list -a' will show"));
  }
}

// Ctrl-C before the answer.
int LeaveUnknown() {
  std::cerr << "interrupted: whether the coordinator took the job is not known; 'trainctl list -a' "
               "shows it\n";
  return kInterrupted;
}

// The id comes first and alone on its line.
void PrintSubmitted(const CommonFlags& common, const pb::SubmitReply& reply) {
  if (IsStructured(common.output)) {
    std::cout << FormatMessage(reply, common.output);
  } else {
    std::cout << reply.job_id() << "\n";
  }
  std::cout << std::flush;
}

int EndDryRun(const JobFile& file, const pb::SubmitRequest& request,
              const pb::SubmitReply& reply) {
  if (reply.preflight_errors_size() > 0) return PrintErrors(file, reply);
  std::cout << jobspec::ToYaml(request.spec());
  std::cerr << "the job is valid; nothing was submitted\n";
  return kDone;
}

// Errors in the file are found before anyone is dialled.
int SubmitFile(const CommandLine& line, const SubmitFlags& flags) {
  const auto file = ReadJobFile(line.positional(0));
  if (!file.ok()) return Complain(file.status());
  auto request = MakeRequest(*file, flags);
  std::optional<JobModel> model;
  if (!request.has_value() || !CheckFiles(*file, *request) ||
      !ReadModel(*file, *request, model)) {
    return kUsage;
  }
  const auto patience = ParsePatience(flags.patience);
  if (!patience.ok()) return Complain(patience.status());
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  // Before the job: a job that names what is not there is refused by the coordinator.
  const absl::Status uploaded =
      flags.dry_run ? absl::OkStatus() : UploadFiles(**client, model, *request);
  // A full disk over there is no impossible job; only who is not there, or not permitted, is the same.
  if (absl::IsResourceExhausted(uploaded)) return Complain(LocalError(uploaded));
  if (!uploaded.ok()) return Complain(uploaded);
  const auto reply = SubmitOnce(session, **client, *request, *patience);
  if (absl::IsCancelled(reply.status())) return LeaveUnknown();
  if (!reply.ok()) return PrintRefusal(*file, reply.status());
  if (flags.dry_run) return EndDryRun(*file, *request, *reply);
  PrintSubmitted(line.common(), *reply);
  if (reply->preflight_errors_size() > 0) return PrintErrors(*file, *reply);
  if (!flags.follow && !flags.wait) {
    std::cerr << "follow it with: trainctl logs -f " << reply->job_id() << "\n";
    return kDone;
  }
  FollowOptions follow;
  follow.progress = flags.follow;
  follow.format = line.common().output;
  follow.patience = *patience;
  follow.has_answered = true;
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
  line.flags().Text("name", "NAME", "another name for the job (default: that in the file)", &flags.name);
  AddPatienceFlag(line.flags(), &flags.patience);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  return SubmitFile(line, flags);
}

}  // namespace rm::trainctl
