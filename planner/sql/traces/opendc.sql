-- OpenDC workload traces, Parquet (or CSV): meta and trace, or as newer releases call them tasks and fragments
--
-- Source: atlarge-research/opendc, documentation of workloads. meta lists machines with their cores, the MHz of all cores
-- and memory; trace holds the MHz used from time to time. tasks have a submission_time instead of start and stop, and
-- fragments no time at all: those of a task follow one another, each as long as its duration (ms). Memory is MB by the
-- documentation, but KB in the traces of Bitbrains that come with OpenDC: where the largest machine would have more than
-- 16 TiB if it were MB, or half of them more than 64 GiB a core, it is KB. What was used of memory is not recorded. Traces of OpenDC 2.0 (submissionTime, maxCores,
-- requiredMemory; time, cpuUsage) do not tell what a core's MHz are: their machines are sized as allocated.

create temp table tasks (
    id varchar not null check (id <> ''),
    cpu_count double not null check (cpu_count between 0 and 1e6),
    cpu_capacity double not null check (cpu_capacity between 0 and 1e10),
    mem_capacity double not null check (mem_capacity between 0 and 1e13),
    start_time timestamp,
    stop_time timestamp,
    submission_time timestamp,
    duration double check (duration between 0 and 1e14),
    gpu_count double check (gpu_count between 0 and 1e5)
);

create temp table fragments (
    id varchar not null check (id <> ''),
    cpu_usage double not null check (cpu_usage between 0 and 1e10),
    "timestamp" timestamp check ("timestamp" between '1970-01-01' and '2100-01-01'),
    duration double check (duration between 0 and 1e14),
    cpu_count double check (cpu_count between 0 and 1e6),
    check (coalesce(cast("timestamp" as varchar), cast(duration as varchar)) is not null)
);
comment on table fragments is '{"numbered": true}';

-- Both tables as version 2.0 has them.
create temp table tasks_2_0 (
    id varchar not null check (id <> ''),
    maxcores double not null check (maxcores between 0 and 1e6),
    requiredmemory double not null check (requiredmemory between 0 and 1e13),
    submissiontime timestamp,
    endtime timestamp,
    duration double check (duration between 0 and 1e14)
);

create temp table fragments_2_0 (
    id varchar not null check (id <> ''),
    cpuusage double not null check (cpuusage between 0 and 1e10),
    "time" timestamp not null check ("time" between '1970-01-01' and '2100-01-01'),
    cores double check (cores between 0 and 1e6)
);
comment on column fragments_2_0."time" is 'timestamp';

create temp view listed as
select distinct on (id) * from (
    select * from tasks
    union all by name
    select id, maxcores as cpu_count, requiredmemory as mem_capacity, submissiontime as submission_time,
        endtime as stop_time, duration
    from tasks_2_0
) order by id, start_time, submission_time, cpu_count, cpu_capacity;

create temp table memory_unit as
select case when is_kb then 'KB' else 'MB' end as name, case when is_kb then 1048576 else 1024 end as per_gib
from (
    select max(mem_capacity) > 16 * 1048576 or median(mem_capacity / nullif(cpu_count, 0)) > 65536 as is_kb from listed
);

-- A fragment without a time begins when its task was submitted and all before it has passed.
create temp view timed as
select id, cpu_usage, cpu_count, "timestamp" as sampled_at from fragments where "timestamp" is not null
union all
select id, cpuusage, cores, "time" from fragments_2_0
union all
select
    f.id, f.cpu_usage, f.cpu_count,
    coalesce(t.submission_time, t.start_time, timestamp '1970-01-01') + to_microseconds(cast(1000 * coalesce(
        sum(f.duration) over (partition by f.id order by f.file, f.line rows between unbounded preceding and 1 preceding),
        0) as bigint)) as sampled_at
from fragments f left join listed t using (id) where f."timestamp" is null;

insert into usage by name
select
    $trace_id as trace_id, t.id as workload, t.sampled_at,
    t.cpu_usage / nullif(m.cpu_capacity, 0) * m.cpu_count as cpu_cores,
    100 * t.cpu_usage / nullif(m.cpu_capacity, 0) as cpu_percent,
    coalesce(t.cpu_count, m.cpu_count) as allocated_cpu_cores
from timed t join listed m using (id) where m.cpu_capacity is not null;

insert into workloads by name
select
    $trace_id as trace_id, id as workload, 'vm' as kind, cpu_count as cpu_cores, mem_capacity / u.per_gib as memory_gib,
    nullif(gpu_count, 0) as gpus, coalesce(start_time, submission_time) as created_at,
    coalesce(stop_time, submission_time + to_microseconds(cast(1000 * duration as bigint))) as deleted_at
from listed, memory_unit u;

insert into notes
select format('memory capacities are read as {}', name) from memory_unit where exists (from listed);

insert into notes
select format('{} samples are of {} machines that no file lists: what a MHz of them is worth is unknown, they are left out',
    count(*), count(distinct id))
from timed where id not in (select id from listed) having count(*) > 0;

insert into notes
select format('version 2.0 does not tell the MHz of a core: {} samples of {} machines are left out, the machines are sized '
    'as allocated', count(*), count(distinct id))
from timed join listed using (id) where cpu_capacity is null having count(*) > 0;
