-- Azure Functions 2019: invocations per minute, durations and memory, three kinds of CSV joined
--
-- Source: github.com/Azure/AzurePublicDataset, AzureFunctionsDataset2019.md. A file's name ends in its day (.d01,
-- day1, day_01); without one it is day 1. Average durations are milliseconds, weighted by Count over days. Memory is of the
-- application in the official files, of the function where the file has a HashFunction. GB = 1024 MB.

create temp table invocations (
    HashOwner varchar not null,
    HashApp varchar not null,
    HashFunction varchar not null,
    "Trigger" varchar,
    "[0-9]{1,4}" uinteger not null
);
comment on table invocations is '{"named": true, "needed": true}';

create temp table durations (
    HashOwner varchar not null,
    HashApp varchar not null,
    HashFunction varchar not null,
    Average double not null check (Average between 0 and 1e10),
    Count double not null check (Count between 0 and 1e15),
    Minimum double,
    Maximum double,
    percentile_Average_50 double
);
comment on table durations is '{"named": true}';

create temp table memory (
    HashOwner varchar not null,
    HashApp varchar not null,
    HashFunction varchar,
    SampleCount double not null check (SampleCount between 0 and 1e15),
    AverageAllocatedMb double not null check (AverageAllocatedMb between 0 and 1e8)
);
comment on table memory is '{"named": true}';

-- Day 1 of the recording, a Monday.
create temp macro day_one() as timestamp '2019-07-15 00:00:00';
create temp macro day_of(file) as
    coalesce(try_cast(regexp_extract(file, '(?i)(^|[^a-z])d(ay)?[ _-]?([0-9]{1,4})$', 3) as integer), 1);

create temp table cells as
select HashOwner, HashApp, HashFunction, day_of(file) as day, cast(label as integer) as label, calls
from (unpivot invocations on columns('^[0-9]+$') into name label value calls);

-- Official labels count from 1 to 1440; a cut of a day (480..959) counts minutes since midnight.
create temp table first_label as
select case when min(label) = 1 or max(label) = 1440 then 1 else 0 end as label from cells;
create temp macro minute_of(day, label) as
    day_one() + to_days(day - 1) + to_minutes(label - (select f.label from first_label f));

-- A function is named by its hash; where several applications share that hash, by both.
create temp table functions as
select
    HashOwner, HashApp, HashFunction,
    case when count(*) over (partition by HashFunction) = 1 then HashFunction
        else HashOwner || '/' || HashApp || '/' || HashFunction end as workload
from (select distinct HashOwner, HashApp, HashFunction from invocations);

create temp table seconds as
select
    HashOwner, HashApp, HashFunction, day,
    coalesce(exact_sum(Average * Count) / nullif(sum(Count), 0), exact_avg(Average)) / 1000 as seconds
from (select *, day_of(file) as day from durations)
group by grouping sets ((HashOwner, HashApp, HashFunction, day), (HashOwner, HashApp, HashFunction));

create temp table megabytes as
select
    HashOwner, HashApp, HashFunction, day,
    coalesce(exact_sum(AverageAllocatedMb * SampleCount) / nullif(sum(SampleCount), 0), exact_avg(AverageAllocatedMb)) as mb
from (select *, day_of(file) as day from memory)
group by grouping sets ((HashOwner, HashApp, HashFunction, day), (HashOwner, HashApp, HashFunction));

-- The day's own figure, else that of all days; memory of the function, else of its application.
create temp table facts as
with days as (select distinct day from cells)
select
    f.*, d.day,
    coalesce(s1.seconds, s0.seconds) as seconds,
    coalesce(m1.mb, m0.mb, a1.mb, a0.mb) as mb
from functions f cross join days d
left join seconds s1 on s1.day = d.day
    and (s1.HashOwner, s1.HashApp, s1.HashFunction) = (f.HashOwner, f.HashApp, f.HashFunction)
left join seconds s0 on s0.day is null
    and (s0.HashOwner, s0.HashApp, s0.HashFunction) = (f.HashOwner, f.HashApp, f.HashFunction)
left join megabytes m1 on m1.day = d.day
    and (m1.HashOwner, m1.HashApp, m1.HashFunction) = (f.HashOwner, f.HashApp, f.HashFunction)
left join megabytes m0 on m0.day is null
    and (m0.HashOwner, m0.HashApp, m0.HashFunction) = (f.HashOwner, f.HashApp, f.HashFunction)
left join megabytes a1 on a1.day = d.day and a1.HashFunction is null
    and (a1.HashOwner, a1.HashApp) = (f.HashOwner, f.HashApp)
left join megabytes a0 on a0.day is null and a0.HashFunction is null
    and (a0.HashOwner, a0.HashApp) = (f.HashOwner, f.HashApp);

insert into calls by name
select
    $trace_id as trace_id, f.workload, minute_of(c.day, c.label) as minute, sum(c.calls) as calls,
    any_value(f.seconds) as seconds_per_call, any_value(f.mb) as memory_mb
from cells c join facts f using (HashOwner, HashApp, HashFunction, day)
where c.calls > 0
group by all;

insert into minutes by name
select distinct $trace_id as trace_id, minute_of(day, label) as minute from cells;

insert into workloads by name
with totals as (
    select
        workload,
        exact_sum(calls * seconds_per_call) / nullif(sum(calls) filter (seconds_per_call is not null), 0) as seconds,
        exact_sum(calls * memory_mb) / nullif(sum(calls) filter (memory_mb is not null), 0) as mb
    from calls where trace_id = $trace_id group by workload
)
select
    $trace_id as trace_id, f.workload, 'function' as kind, any_value(f.HashOwner) as owner,
    any_value(f.HashOwner || '/' || f.HashApp) as application,
    coalesce(any_value(t.seconds), exact_avg(f.seconds)) as seconds_per_request,
    coalesce(any_value(t.mb), exact_avg(f.mb)) / 1024 as memory_gib_per_request
from facts f left join totals t using (workload)
group by f.workload;

insert into notes
select format('no durations file: how long the {} functions run is unknown', count(*)) from functions
where not exists (from durations) having count(*) > 0;

insert into notes
select format('no memory file: what the {} functions allocate is unknown', count(*)) from functions
where not exists (from memory) having count(*) > 0;

insert into notes
select format('{} of {} functions have no duration', count(*) filter (seconds_per_request is null), count(*))
from workloads where trace_id = $trace_id and exists (from durations)
having count(*) filter (seconds_per_request is null) > 0;

insert into notes
select format('{} of {} functions have no memory', count(*) filter (memory_gib_per_request is null), count(*))
from workloads where trace_id = $trace_id and exists (from memory)
having count(*) filter (memory_gib_per_request is null) > 0;

insert into notes
select format('{} functions have several rows of one day: their calls are added up. A day is told by the end of the name '
    'of its file, such as .d01 or day1', count(distinct (HashOwner, HashApp, HashFunction)))
from (
    select HashOwner, HashApp, HashFunction from invocations
    group by HashOwner, HashApp, HashFunction, day_of(file) having count(*) > 1
) having count(*) > 0;
