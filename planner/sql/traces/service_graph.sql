-- Service graph: who calls whom, how often, and how many bytes that takes; CSV or Parquet, one row a pair (and time)
--
-- caller and callee are names of services; requests_per_s is what the one asks of the other. Bytes are those of both ways
-- together: a second (bytes_per_s, mib_per_s), or of an average request (bytes, bytes_per_request; or request_bytes and
-- response_bytes apart). Without a time a row is an average over all of the recording; a pair that has no row at a time
-- that others have made no calls then. Every service becomes a workload of unknown size that serves what is asked of it.
-- To plan machines with a graph, put the graph beside samples and workloads of the same names in planner's own columns.

create temp table edges (
    caller varchar not null check (trim(caller) <> ''),
    callee varchar not null check (trim(callee) <> ''),
    sampled_at timestamp check (sampled_at between '1970-01-01' and '2100-01-01'),
    requests_per_s double check (requests_per_s between 0 and 1e12),
    bytes_per_request double check (bytes_per_request between 0 and 1e15),
    request_bytes double check (request_bytes between 0 and 1e15),
    response_bytes double check (response_bytes between 0 and 1e15),
    bytes_per_s double check (bytes_per_s between 0 and 1e15),
    mib_per_s double check (mib_per_s between 0 and 1e9),
    weight double,
    check (coalesce(requests_per_s, bytes_per_request, request_bytes, response_bytes, bytes_per_s, mib_per_s,
        weight, 0) is not null)
);
comment on column edges.caller is
    'source|from|client|upstream|source_service|source_workload|source_app|caller_service|src|callers|parent';
comment on column edges.callee is
    'target|destination|to|server|destination_service|destination_workload|destination_app|callee_service|dst|callees|child';
comment on column edges.sampled_at is 'timestamp|time|at|ts';
comment on column edges.requests_per_s is 'rps|qps|ops|request_rate|requests per second|requests/s|req/s|calls_per_s';
comment on column edges.bytes_per_request is 'bytes|payload_bytes|size|bytes per call';
comment on column edges.request_bytes is 'bytes_sent|bytes_out';
comment on column edges.response_bytes is 'bytes_received|bytes_in';
comment on column edges.bytes_per_s is 'bytes per second|bps|throughput_bytes';
comment on table edges is '{"needed": true, "streamed": true}';

insert into traffic by name
select
    $trace_id as trace_id, trim(caller) as caller, trim(callee) as callee, sampled_at, requests_per_s,
    coalesce(mib_per_s, bytes_per_s / 1048576, requests_per_s * coalesce(bytes_per_request, case
        when coalesce(request_bytes, response_bytes) is not null
        then coalesce(request_bytes, 0) + coalesce(response_bytes, 0) end) / 1048576) as mib_per_s
from edges;

-- What each service is asked for, at each time or on average.
insert into usage by name
select
    $trace_id as trace_id, callee as workload, sampled_at, exact_sum(requests_per_s) as requests_per_s
from traffic
where trace_id = $trace_id and sampled_at is not null and requests_per_s is not null
group by all;

insert into workloads by name
with names as (
    select caller as workload from traffic where trace_id = $trace_id
    union select callee from traffic where trace_id = $trace_id
),
served as (
    select callee as workload, exact_sum(requests_per_s) as rps
    from traffic where trace_id = $trace_id and sampled_at is null group by callee
)
select $trace_id as trace_id, workload, 'container' as kind, true as scales_out, rps as told_requests_per_s
from names left join served using (workload);

insert into notes
select format('a call graph: {} services, whose sizes it does not tell; state them, or put the graph beside samples of the '
    'same names', count(*))
from workloads where trace_id = $trace_id having count(*) > 0;

insert into notes
select format('{} of {} rows tell no requests, {} no bytes', count(*) filter (requests_per_s is null), count(*),
    count(*) filter (mib_per_s is null))
from traffic where trace_id = $trace_id
having count(*) filter (requests_per_s is null or mib_per_s is null) > 0;

insert into notes
select format('{} rows name the same pair and time as another: they are added up', sum(n - 1))
from (select count(*) as n from traffic where trace_id = $trace_id group by caller, callee, sampled_at)
where n > 1 having count(*) > 0;
