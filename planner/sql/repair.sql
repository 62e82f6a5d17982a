-- What is odd in the samples of a recording, and what is done about it: each rule detects, counts and handles.
--
-- $trace_id; $part: workloads are looked at part by part, as table looked_at tells; $rows: of whole workloads in a part,
-- about; $cores_most, $gib_most: no machine is larger; $tolerance: times its size that a workload may measure. Findings go
-- into table repairs(rule, found, of what, in how many workloads, what was done); found 0 means that there is nothing to
-- tell. Table paces has been made by sql/measure.sql, and is made anew where rows were deleted.

-- parts
-- Nothing is told twice of a workload whose samples are as many as fit between the first and the last.
create or replace temp table looked_at as
select workload, cast((sum(samples) over (order by hash(workload), workload) - 1) // $rows as bigint) as part
from paces where not even or (select sum(samples) from paces) <= $rows;

-- search
create or replace temp table looked as
select workload, sampled_at from usage semi join (select workload from looked_at where part = $part) using (workload)
where trace_id = $trace_id;

create or replace temp table moments_twice as
select workload, sampled_at from looked group by workload, sampled_at having count(*) > 1;

-- forward
-- A clock set forward skips an hour for everyone.
insert into repairs
select 'clock set forward', count(*), 'hours', 0, format('no workload has a sample in the hour from {} UTC: local time, or an outage; '
    || 'that hour is filled with what the same hour of other weeks, or the mean, tells', min(hour) + interval 1 hour)
from (
    select hour, lead(hour) over (order by hour) as next
    from (select distinct date_trunc('hour', sampled_at) as hour from looked)
)
where next - hour = interval 2 hours;

-- found
create or replace temp table twice as
select u.place, u.workload, u.sampled_at, row_number() over (
    partition by u.workload, u.sampled_at, u.cpu_cores, u.memory_gib, u.cpu_percent, u.memory_percent,
        u.disk_read_mib_per_s, u.disk_write_mib_per_s, u.disk_iops, u.network_in_mib_per_s, u.network_out_mib_per_s,
        u.requests_per_s, u.allocated_cpu_cores, u.allocated_memory_gib
    order by u.place) as copy
from (select rowid as place, * from own_samples union all by name from samples_before where false) u
semi join moments_twice m on u.workload = m.workload and u.sampled_at = m.sampled_at;

delete from own_samples where rowid in (select place from twice where copy > 1);

insert into repairs
select 'duplicates', count(*), 'rows', count(distinct workload), 'equal to another row in every column: one of each was kept'
from twice where copy > 1;

create or replace temp table disputed as
select workload, sampled_at, count(*) as n from twice where copy = 1 group by all having count(*) > 1;

insert into repairs
select 'conflicts', coalesce(sum(n), 0), 'rows', count(distinct workload),
    'other values of the same workload at the same moment: all count, so a percentile sees the highest'
from disputed;

-- A clock set back repeats an hour for everyone; half of those looked at will do.
insert into repairs
select 'clock set back', sum(n), 'rows', max(w),
    format('most workloads have two samples of each moment from {} UTC: local time; both count', min(hour))
from (
    select date_trunc('hour', sampled_at) as hour, sum(n) as n, count(distinct workload) as w
    from disputed group by hour
    having 2 * count(distinct workload) > (select count(*) from looked_at where part = $part)
)
having count(*) between 1 and 10;

-- whole
insert into repairs
select 'units', count(*), 'workloads', 0, format('more than {} cores or {} GiB, which no machine has: taken as recorded; '
    || 'a conversion from millicores, MHz, bytes or MiB is likely missing', $cores_most, $gib_most)
from workloads w left join paces p using (workload)
where trace_id = $trace_id
    and (greatest(w.cpu_cores, p.most_cpu_cores) > $cores_most or greatest(w.memory_gib, p.most_memory_gib) > $gib_most);

insert into repairs
select 'above capacity', count(*), 'workloads', 0,
    'use more than they are allocated: not cut off, they are sized by what was measured'
from paces p join workloads w using (workload)
where w.trace_id = $trace_id and (p.most_cpu_cores > $tolerance * w.cpu_cores or p.most_memory_gib > $tolerance * w.memory_gib);

-- gaps
insert into repairs
select 'gaps', coalesce(sum(gaps), 0), 'stretches', count(*),
    'no sample for more than one and a half times the pace: nothing is filled in; hours of the week never seen take the mean of those seen'
from quality where trace_id = $trace_id and gaps > 0;
