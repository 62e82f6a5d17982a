-- planner's own columns, as CSV (also gzipped) or Parquet: samples, and beside them workloads and calls
--
-- samples    one row a measurement of one workload. workload and sampled_at (UTC; ISO 8601, or seconds, milli-, micro- or
--            nanoseconds since 1970) and at least one measure. cpu_cores and memory_gib are used amounts; cpu_percent and
--            memory_percent are shares of what is allocated, which then must be known: here, in the workloads file, or
--            from the scenario's assumption. Times before 1970 or after 2100 are clocks gone wrong; recordings that
--            count from zero begin in 1970.
-- workloads  one row a workload: what is allocated and what is known of it. Optional; a workload without a row has samples
--            only. A recording may also be a workloads file alone: then it is sized as allocated.
-- calls      one row a function and minute: calls started in that minute, their average duration and allocated memory.
--            Minutes without calls may be left out. GB = 1024 MB.
-- traffic    one row a pair of a caller and a callee (names of workloads or applications), with requests a second and
--            mebibytes a second of both ways, at a time or on average. Optional; a traffic file alone is a service_graph.
-- Columns of other names are skipped. Units are in the names; MiB and GiB are powers of two.

create temp table samples (
    workload varchar not null check (workload <> ''),
    sampled_at timestamp not null check (sampled_at between '1970-01-01' and '2100-01-01'),
    cpu_cores double check (cpu_cores between 0 and 1e6),
    memory_gib double check (memory_gib between 0 and 1e7),
    cpu_percent double check (cpu_percent between 0 and 1e5),
    memory_percent double check (memory_percent between 0 and 1e5),
    disk_read_mib_per_s double check (disk_read_mib_per_s between 0 and 1e9),
    disk_write_mib_per_s double check (disk_write_mib_per_s between 0 and 1e9),
    disk_iops double check (disk_iops between 0 and 1e9),
    network_in_mib_per_s double check (network_in_mib_per_s between 0 and 1e9),
    network_out_mib_per_s double check (network_out_mib_per_s between 0 and 1e9),
    requests_per_s double check (requests_per_s between 0 and 1e12),
    allocated_cpu_cores double check (allocated_cpu_cores between 0 and 1e6),
    allocated_memory_gib double check (allocated_memory_gib between 0 and 1e7),
    check (coalesce(cpu_cores, memory_gib, cpu_percent, memory_percent, disk_read_mib_per_s, disk_write_mib_per_s,
        disk_iops, network_in_mib_per_s, network_out_mib_per_s, requests_per_s) is not null)
);
comment on table samples is '{"streamed": true, "as_is": true}';
comment on column samples.sampled_at is 'timestamp|time';

create temp table workload_rows (
    workload varchar not null check (workload <> ''),
    kind varchar check (kind in ('vm', 'function', 'container', 'server')),
    owner varchar,
    application varchar,
    cpu_cores double check (cpu_cores between 0 and 1e6),
    memory_gib double check (memory_gib between 0 and 1e7),
    gpus double check (gpus between 0 and 1e5),
    storage_gib double check (storage_gib between 0 and 1e9),
    arch varchar check (arch in ('x86_64', 'arm64')),
    residency varchar,
    spread_group varchar,
    interruptible boolean,
    scales_out boolean,
    seconds_per_request double check (seconds_per_request between 0 and 1e9),
    memory_gib_per_request double check (memory_gib_per_request between 0 and 1e7),
    cores_per_request double check (cores_per_request between 0 and 1e6),
    created_at timestamp,
    deleted_at timestamp,
    check (coalesce(kind, owner, application, arch, residency, spread_group) is not null
        or coalesce(cpu_cores, memory_gib, gpus, storage_gib, seconds_per_request) is not null)
);

create temp table call_rows (
    workload varchar not null check (workload <> ''),
    minute timestamp not null check (minute between '1970-01-01' and '2100-01-01'),
    calls double not null check (calls between 0 and 1e12),
    seconds_per_call double check (seconds_per_call between 0 and 1e7),
    memory_mb double check (memory_mb between 0 and 1e8),
    owner varchar,
    application varchar
);

create temp table traffic_rows (
    caller varchar not null check (caller <> ''),
    callee varchar not null check (callee <> ''),
    sampled_at timestamp check (sampled_at between '1970-01-01' and '2100-01-01'),
    requests_per_s double check (requests_per_s between 0 and 1e12),
    mib_per_s double check (mib_per_s between 0 and 1e9),
    check (coalesce(requests_per_s, mib_per_s) is not null)
);
comment on table traffic_rows is '{"aside": true}';
comment on column traffic_rows.sampled_at is 'timestamp|time';

-- The first row of a workload that is listed twice counts.
create temp view listed as
select distinct on (workload) * from workload_rows order by workload, cpu_cores, memory_gib, application;

insert into notes
select format('{} workloads are listed more than once; one row of each counts', count(*))
from (select workload from workload_rows group by workload having count(*) > 1) having count(*) > 0;

-- Columns that no file has are left out, so that nobody waits while nothing is written.
insert into usage by name
select
    $trace_id as trace_id,
    columns(lambda c: c in ('workload', 'sampled_at')
        or c not in ('cpu_cores', 'memory_gib') and list_contains(getvariable('columns_of_samples'), c)),
    coalesce(cpu_cores, cpu_percent / 100 * coalesce(allocated_cpu_cores, listed_cores)) as cpu_cores,
    coalesce(memory_gib, memory_percent / 100 * coalesce(allocated_memory_gib, listed_gib)) as memory_gib
from (
    select s.*, w.cpu_cores as listed_cores, w.memory_gib as listed_gib from samples s left join listed w using (workload)
);

-- Minutes without calls are filled in, so a clock that is decades off would make a recording of decades.
set variable common_year = (
    select year(minute) as y from call_rows group by y order by count(*) desc, y limit 1
);
create temp view sound_calls as
select * from call_rows where abs(year(minute) - getvariable('common_year')) <= 5;

insert into notes
select format('{} rows of calls are more than five years away from {}, when most were: clocks gone wrong, left out',
    count(*), getvariable('common_year'))
from call_rows where abs(year(minute) - getvariable('common_year')) > 5 having count(*) > 0;

insert into traffic by name
select $trace_id as trace_id, caller, callee, sampled_at, requests_per_s, mib_per_s from traffic_rows;

insert into calls by name
select
    $trace_id as trace_id, workload, date_trunc('minute', minute) as minute, sum(calls) as calls,
    exact_sum(calls * seconds_per_call) / nullif(sum(calls) filter (seconds_per_call is not null), 0) as seconds_per_call,
    exact_sum(calls * memory_mb) / nullif(sum(calls) filter (memory_mb is not null), 0) as memory_mb
from sound_calls
group by all
having sum(calls) > 0;

-- Calls are taken as recorded without a break from the first minute to the last.
insert into minutes by name
select $trace_id as trace_id, unnest(generate_series(a, b, interval 1 minute)) as minute
from (select min(date_trunc('minute', minute)) as a, max(date_trunc('minute', minute)) as b from sound_calls)
where a is not null;

insert into workloads by name
with sized as (
    select workload, most_allocated_cpu_cores as cores, most_allocated_memory_gib as gib from sums
),
called as (
    select
        workload, any_value(owner) as owner, any_value(application) as application,
        exact_sum(calls * seconds_per_call) / nullif(sum(calls) filter (seconds_per_call is not null), 0) as seconds,
        coalesce(
            exact_sum(calls * memory_mb) / nullif(sum(calls) filter (memory_mb is not null), 0), exact_avg(memory_mb)
        ) / 1024 as gib
    from sound_calls group by workload
),
names as (
    select workload from sized union select workload from called union select workload from listed
)
select
    $trace_id as trace_id, workload,
    coalesce(w.kind, case when c.workload is null then 'vm' else 'function' end) as kind,
    coalesce(w.owner, c.owner) as owner, coalesce(w.application, c.application) as application,
    coalesce(w.cpu_cores, s.cores) as cpu_cores, coalesce(w.memory_gib, s.gib) as memory_gib,
    w.gpus, w.storage_gib, w.arch, w.residency, w.spread_group, w.interruptible, w.scales_out,
    coalesce(w.seconds_per_request, c.seconds) as seconds_per_request,
    coalesce(w.memory_gib_per_request, c.gib) as memory_gib_per_request,
    w.cores_per_request, w.created_at, w.deleted_at
from names left join sized s using (workload) left join called c using (workload) left join listed w using (workload);

insert into notes
select format('{} pairs of the traffic name what is no workload and no application: they are left out of the demand',
    count(*))
from (
    select caller, callee from traffic where trace_id = $trace_id and not (
        caller in (select workload from workloads where trace_id = $trace_id
            union select application from workloads where trace_id = $trace_id and application is not null)
        and callee in (select workload from workloads where trace_id = $trace_id
            union select application from workloads where trace_id = $trace_id and application is not null))
    group by all
) having count(*) > 0;
