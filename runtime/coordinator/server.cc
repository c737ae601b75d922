// Wiring, and the order of beginning and end. What can fail for a reason that a person can mend
// comes first, and before anything is decided: the scheduler's first step runs only when the ports
// are ours.
#include "runtime/coordinator/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <chrono>
#include <random>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "base/version.h"
#include "runtime/coordinator/artifact_store.h"
#include "runtime/coordinator/artifacts_service.h"
#include "runtime/coordinator/bind_error.h"
#include "runtime/coordinator/checkpoints_service.h"
#include "runtime/coordinator/cluster_service.h"
#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/jobs_api.h"
#include "runtime/coordinator/jobs_service.h"
#include "runtime/coordinator/log_service.h"
#include "runtime/coordinator/metrics_page.h"
#include "runtime/coordinator/stoppable_files.h"
#include "runtime/coordinator/storage_probe.h"
#include "runtime/coordinator/task_thread.h"
#include "runtime/coordinator/workers_service.h"
#include "runtime/telemetry/http_server.h"
#include "runtime/telemetry/prometheus.h"

namespace rm::coordinator {
namespace {

constexpr int kMessageBytesMax = 16 << 20;
constexpr int kPingIntervalLeastMs = 5000;  // clients may ask as often whether we are there
constexpr auto kDrainFor = std::chrono::seconds(2);
constexpr absl::Duration kPageWithin = absl::Seconds(5);

absl::Status Stopping() { return absl::UnavailableError("the coordinator is stopping"); }

uint64_t RandomBits() {
  static thread_local std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// A folder that exists and can be written; the error says which flag named it. Tried by writing:
// permissions alone tell little on network file systems, and nothing to root.
absl::Status MakeWritable(base::FileSystem& files, const std::string& folder,
                          absl::string_view flag) {
  const std::string probe = base::JoinPath(folder, ".writable");
  absl::Status status = files.MakeFolders(folder);
  if (status.ok()) status = base::WriteFileAtomically(files, probe, "");
  if (status.ok()) status = files.RemoveFile(probe);
  return base::Annotate(status, absl::StrCat("--", flag, " ", folder, " cannot be written"));
}

}  // namespace

// Members end in reverse order; Stop has ended the threads before.
struct Server::Parts {
  Parts(const Options& given, base::FileSystem& file_system, const base::Clock& the_clock)
      : options(given),
        files(file_system),
        clock(the_clock),
        checkpoint_files(file_system),
        logs(base::JoinPath(given.state, "logs"), file_system, the_clock),
        engine([this] { return coordinator->Tick(); }) {}

  absl::Status Open(std::function<void(const absl::Status&)> on_failure);
  absl::Status Serve();
  absl::Status ServeHttp();
  telemetry::HttpReply MetricsReply();
  telemetry::HttpReply HealthReply();
  void Stop();

  const Options options;
  base::FileSystem& files;
  const base::Clock& clock;
  StoppableFiles checkpoint_files;
  std::unique_ptr<ArtifactStore> artifacts;
  LogService logs;
  std::unique_ptr<Coordinator> coordinator;
  std::unique_ptr<JobsApi> api;
  TaskThread engine;
  TaskThread reader;
  TaskThread uploads;
  ServerFacts facts;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> grpc_server;
  std::unique_ptr<telemetry::HttpServer> http;
  std::string http_address;
  std::atomic<bool> stopping{false};
};

absl::Status Server::Parts::Open(std::function<void(const absl::Status&)> on_failure) {
  RM_RETURN_IF_ERROR(MakeWritable(files, options.state, "state"));
  RM_RETURN_IF_ERROR(MakeWritable(files, options.storage, "storage"));
  journal::JournalOptions journal_options;
  journal_options.files = &files;
  RM_ASSIGN_OR_RETURN(
      auto journal,
      journal::Journal::Open(base::JoinPath(options.state, "journal.db"), journal_options));
  CoordinatorConfig config;
  config.folders = {options.state, options.storage};
  config.version = std::string(base::kVersion);
  // Only now: with the journal, the state folder is ours.
  RM_ASSIGN_OR_RETURN(const std::string id, StateId(files, options.state, RandomBits));
  RM_ASSIGN_OR_RETURN(config.probe, WriteStorageProbe(files, options.storage, id, RandomBits));
  artifacts =
      std::make_unique<ArtifactStore>(base::JoinPath(options.storage, "artifacts"), id, files);
  const int64_t broken = artifacts->RemoveBroken();
  if (broken > 0) base::LogInfo("removed ", broken, " uploads that had been cut off");
  config.scheduler.policy = options.policy;
  config.scheduler.adopt_window = options.adopt_within;
  config.scheduler.retention.ended_jobs = options.keep_jobs;
  config.on_failure = std::move(on_failure);
  config.on_job_ended = [this](const std::string& job_id) { logs.MarkEnded(job_id); };
  config.on_job_forgotten = [this](const std::string& job_id) { logs.Forget(job_id); };
  config.on_log = [this](const std::string& worker_id, ::ringmaster::v1::LogChunk chunk) {
    logs.Append(worker_id, std::move(chunk));
  };
  RM_ASSIGN_OR_RETURN(auto ledger, Ledger::Open(std::move(journal), config.scheduler, clock));
  coordinator = std::make_unique<Coordinator>(std::move(config), std::move(ledger), clock);
  api = std::make_unique<JobsApi>(*coordinator, RandomBits);
  return absl::OkStatus();
}

absl::Status Server::Parts::Serve() {
  // Before gRPC tries: it says nothing but that it failed, and a line of its own in the log.
  RM_RETURN_IF_ERROR(TryBind(options.listen_at));
  services.push_back(MakeJobsService(engine, *coordinator, *api, logs, *artifacts));
  services.push_back(MakeClusterService(engine, *coordinator, facts));
  services.push_back(MakeCheckpointsService(engine, reader, *coordinator, checkpoint_files));
  services.push_back(MakeArtifactsService(uploads, *artifacts, files));
  services.push_back(MakeWorkersService(engine, *coordinator));
  // Both are known to gRPC's own tools: grpc_health_probe and grpcurl work without our proto files.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.listen_at.ToString(), grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port is ours alone, or an error
  // Clients that check a quiet stream by pings are not sent away for it.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalLeastMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  for (const auto& service : services) builder.RegisterService(service.get());
  grpc_server = builder.BuildAndStart();
  if (grpc_server == nullptr || port == 0) {
    RM_RETURN_IF_ERROR(TryBind(options.listen_at));
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen_at.ToString()));
  }
  // Read by the engine's thread, which starts after this.
  facts.address = base::HostPort{options.advertise, port}.ToString();
  facts.started = clock.Now();
  return absl::OkStatus();
}

absl::Status Server::Parts::ServeHttp() {
  const telemetry::HttpPages pages = {
      {"/metrics", [this] { return MetricsReply(); }},
      {"/healthz", [this] { return HealthReply(); }},
      {"/readyz", [this] { return HealthReply(); }},
  };
  RM_ASSIGN_OR_RETURN(
      http, telemetry::HttpServer::Start(options.http_at.host, options.http_at.port, pages));
  const bool is_any = base::IsAnyAddress(options.http_at.host);
  const std::string& host = is_any ? options.advertise : options.http_at.host;
  http_address = base::HostPort{host, http->port()}.ToString();
  if (options.address_file.empty()) return absl::OkStatus();
  const absl::Status written = base::WriteFileAtomically(
      files, options.address_file, absl::StrCat(facts.address, "\n", http_address, "\n"));
  return base::Annotate(written, "--address-file");
}

telemetry::HttpReply Server::Parts::MetricsReply() {
  // Owned by the task, which may run after the wait has ended.
  const auto text = std::make_shared<std::string>();
  const bool made =
      engine.PostAndWait([this, text] { *text = MetricsPage(*coordinator); }, kPageWithin);
  if (!made) return {503, "text/plain; charset=utf-8", "the coordinator is busy or stopping\n"};
  return {200, std::string(telemetry::kPrometheusContentType), *text};
}

telemetry::HttpReply Server::Parts::HealthReply() {
  const bool alive = !stopping && engine.PostAndWait([] {}, kPageWithin);
  if (alive) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8", "the coordinator is busy or stopping\n"};
}

void Server::Parts::Stop() {
  if (stopping.exchange(true)) return;
  // From the outside in. While gRPC drains, the threads still run: every call that is open, or
  // comes in this moment, needs them to be answered.
  http.reset();
  engine.Post([this] { coordinator->Close(Stopping()); });
  logs.Close(Stopping());
  checkpoint_files.Stop();
  if (grpc_server != nullptr) {
    grpc_server->Shutdown(std::chrono::system_clock::now() + kDrainFor);
    grpc_server->Wait();
  }
  // No callback of gRPC comes any more. The engine posts to the logs, so it ends before them.
  reader.Stop();
  uploads.Stop();
  engine.Stop();
  logs.Stop();
  grpc_server.reset();
  // A server that could not start has no coordinator yet, or nobody has read its probe.
  if (coordinator != nullptr) files.RemoveFile(coordinator->config().probe.path).IgnoreError();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Stop(); }

void Server::Stop() { parts_->Stop(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const Options& options, std::function<void(const absl::Status&)> on_failure,
    base::FileSystem& files, const base::Clock& clock) {
  auto parts = std::make_unique<Parts>(options, files, clock);
  RM_RETURN_IF_ERROR(parts->Open(std::move(on_failure)));
  auto server = absl::WrapUnique(new Server(std::move(parts)));  // from here on it must be stopped
  RM_RETURN_IF_ERROR(server->parts_->Serve());
  server->parts_->engine.Start();
  server->parts_->reader.Start();
  server->parts_->uploads.Start();
  server->parts_->logs.Start();
  RM_RETURN_IF_ERROR(server->parts_->ServeHttp());
  return server;
}

const std::string& Server::address() const { return parts_->facts.address; }
const std::string& Server::http_address() const { return parts_->http_address; }

}  // namespace rm::coordinator
